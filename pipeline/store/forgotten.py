"""What the store keeps out because its handset was forgotten after it, whenever it comes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.records import (
    ConsentRequest,
    DeadLetter,
    ForgetRequest,
    MoRaw,
    MtRequest,
    MtResult,
    Record,
)
from pipeline.sms.msisdn import address_from_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiokafka.structs import ConsumerRecord

    from pipeline.suppression_key import SuppressionKey

#: What was written so soon after an erasure may have been decided before it, by another clock.
SLACK_MS: Final = 1_000
#: A number this long, or longer, is looked for within octets (ITU-T E.164 6.1: at most 15 digits).
SHORTEST: Final = 8
LONGEST: Final = 15
_DIGITS: Final = re.compile(rb"[0-9]{%d,}" % SHORTEST)


class Forgotten:
    """The handsets that were forgotten: by suppression, and until when in Kafka's time."""

    def __init__(self, key: SuppressionKey | None = None) -> None:
        self._key = key
        self._until: dict[bytes, int] = {}
        self._latest = -1

    @property
    def has_key(self) -> bool:
        """Whether handsets can be known again."""
        return self._key is not None

    def take_key(self, key: SuppressionKey) -> None:
        """The key the suppressions are under."""
        self._key = key

    def note(self, suppression: bytes, until_ms: int) -> None:
        """What is of this handset and no later than this is erased."""
        self._until[suppression] = max(until_ms, self._until.get(suppression, -1))
        self._latest = max(self._latest, until_ms)

    def as_kept(self, record: ConsumerRecord, value: Record) -> Record | None:
        """The value as it may be stored; None: its handset was forgotten after it.

        A result may come when its handset is long forgotten: it is stored without what names it,
        and found by its command, which is there if it is younger.
        """
        if self._key is None or not self._until:
            return value
        if record.timestamp <= self._latest and self._is_erased(record, _handsets(record, value)):
            return None
        if isinstance(value, MtResult) and self._key.of(value.handset) in self._until:
            return msgspec.structs.replace(value, handset="", request_id="", words="")
        return value

    def keeps_unreadable(self, record: ConsumerRecord) -> bool:
        """Whether a record that cannot be read may be stored as a dead letter."""
        if self._key is None or record.timestamp > self._latest:
            return True
        return not self._is_erased(record, _handsets_within(record.key, record.value))

    def _is_erased(self, record: ConsumerRecord, handsets: Iterator[str]) -> bool:
        key = self._key
        return key is not None and any(
            self._until.get(key.of(handset), -1) >= record.timestamp for handset in handsets
        )


def _handsets(record: ConsumerRecord, value: Record) -> Iterator[str]:
    """Whom a record is about."""
    match value:
        case MoRaw():
            yield _text(record.key)
        case MtRequest():
            yield from (_text(record.key), address_from_text(value.to))
        case ConsentRequest() | ForgetRequest():
            yield address_from_text(value.handset)
        case DeadLetter():
            headers = [header.value for header in value.headers]
            yield from _handsets_within(value.key, value.octets, *headers, value.words.encode())
        case _:
            handset = getattr(value, "handset", "")
            if handset:
                yield handset


def _handsets_within(key: bytes | None, *pieces: bytes | None) -> Iterator[str]:
    """Every number that may be meant by octets nobody can read."""
    yield _text(key)
    for piece in pieces:
        for run in _DIGITS.findall(piece or b""):
            for start in range(len(run) - SHORTEST + 1):
                for end in range(start + SHORTEST, min(start + LONGEST, len(run)) + 1):
                    yield run[start:end].decode("ascii")


def _text(octets: bytes | None) -> str:
    return (octets or b"").decode("utf-8", "replace")
