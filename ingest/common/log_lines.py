"""Makes a raw event or a dead letter of a line of mo.log (G8.3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from ingest.common.refused import letter_from_refused
from pipeline.kafka.topics import DEAD_LETTER, MO_RAW
from pipeline.records import MoRaw, Reason, Record, Rejected, Source
from pipeline.sms.msisdn import address_from_text, key_from_handset
from pipeline.wire.mo_log import MAX_LINE, Overlong, parse

if TYPE_CHECKING:
    from datetime import datetime

OVERLONG: Final = Rejected(Reason.UNREADABLE_RECORD, f"a piece of a line over {MAX_LINE} octets")


class LogRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record to publish; without a key it may go to any partition."""

    topic: str
    record: Record
    key: bytes | None = None


def outgoing_from_line(
    line: bytes | Overlong, *, now: datetime, neighbour: datetime | None = None
) -> LogRecord | None:
    """The raw event of one line, or its dead letter; None if the line is blank.

    `neighbour` is the time to use if the line's own time cannot be read.
    """
    if isinstance(line, Overlong):
        return letter_from_line(line.octets, OVERLONG, now=now)
    found = parse(line)
    if found is None:
        return None
    if isinstance(found, Rejected):
        return letter_from_line(line, found, now=now)
    raw = MoRaw(
        source=Source.FTP,
        received_at=now,
        method="",
        content_type="",
        query=b"",
        octets=line,
        neighbour_time=neighbour,
    )
    key = key_from_handset(address_from_text(found.handset))
    return LogRecord(topic=MO_RAW, record=raw, key=key)


def letter_from_line(octets: bytes, rejected: Rejected, *, now: datetime) -> LogRecord:
    """The dead letter of a line that cannot be read."""
    letter = letter_from_refused(rejected, octets=octets, source=Source.FTP, at=now)
    return LogRecord(topic=DEAD_LETTER, record=letter)
