"""`import`: a mo.log fetched by hand, through the same path as the gateway's callbacks."""

from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from pipeline.commands.failure import CommandError
from pipeline.commands.options import Home, settings_from

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pipeline.commands.broker import Outgoing
    from pipeline.wire.mo_log import Overlong

READ_OCTETS: Final = 1024 * 1024
IN_FLIGHT: Final = 5_000
SAID_EVERY: Final = 50_000


def import_log(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A mo.log of the gateway.")],
    home: Home = None,
) -> None:
    """Take every line of a mo.log as a part; refused lines go to the dead letter.

    The same file again changes nothing, nor does a part that came by a callback already.
    """
    settings = settings_from(home=home)

    from pipeline import topics
    from pipeline.avro import encode
    from pipeline.commands.broker import ACKNOWLEDGE_SECONDS, open_producer
    from pipeline.commands.local import clock_of
    from pipeline.stack import bootstrap_of
    from pipeline.wire.mo_log import LineSplitter

    now = clock_of(settings).now()
    splitter = LineSplitter()
    waiting: deque[Any] = deque()
    counts = {topics.MO_RAW: 0, topics.DEAD_LETTER: 0}
    with open_producer(bootstrap_of(settings)) as producer:
        for octets in _octets_of(file):
            for line in splitter.feed(octets):
                one = outgoing_from_line(line, now=now)
                if one is None:
                    continue
                waiting.append(producer.send(one.topic, key=one.key, value=encode(one.record)))
                counts[one.topic] += 1
                if sum(counts.values()) % SAID_EVERY == 0:
                    typer.echo(f"{sum(counts.values())} lines", err=True)
                if len(waiting) >= IN_FLIGHT:
                    waiting.popleft().get(timeout=ACKNOWLEDGE_SECONDS)
        while waiting:
            waiting.popleft().get(timeout=ACKNOWLEDGE_SECONDS)
    typer.echo(f"{counts[topics.MO_RAW]} lines taken, {counts[topics.DEAD_LETTER]} refused")
    if splitter.pending:
        typer.echo(
            f"the last {splitter.pending} octets are no line yet and were not taken: they do not"
            " end in a line end",
            err=True,
        )


def outgoing_from_line(line: "bytes | Overlong", *, now: "datetime") -> "Outgoing | None":
    """The raw event of one line, or its dead letter; None when the line is blank."""
    from ingest.refused import letter_from_refused
    from pipeline import topics
    from pipeline.commands.broker import Outgoing
    from pipeline.records import MoRaw, Reason, Rejected, Source
    from pipeline.sms.msisdn import address_from_text, key_from_handset
    from pipeline.wire.mo_log import MAX_LINE, parse

    if isinstance(line, bytes):
        octets, found = line, parse(line)
    else:
        octets = line.octets
        found = Rejected(Reason.UNREADABLE_RECORD, f"a piece of a line over {MAX_LINE} octets")
    if found is None:
        return None
    if isinstance(found, Rejected):
        letter = letter_from_refused(found, octets=octets, source=Source.FTP, at=now)
        return Outgoing(topic=topics.DEAD_LETTER, record=letter)
    raw = MoRaw(
        source=Source.FTP, received_at=now, method="", content_type="", query=b"", octets=octets
    )
    key = key_from_handset(address_from_text(found.handset))
    return Outgoing(topic=topics.MO_RAW, record=raw, key=key)


def _octets_of(file: Path) -> "Iterator[bytes]":
    """The file, piece by piece."""
    try:
        with file.open("rb") as opened:
            while octets := opened.read(READ_OCTETS):
                yield octets
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error
