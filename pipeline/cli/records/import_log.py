"""`import`: publishes the lines of a mo.log that was fetched by hand to `mo-raw`."""

from collections import Counter, deque
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from pipeline.cli.terminal.failure import CommandError
from pipeline.cli.terminal.options import Home, settings_from
from pipeline.cli.terminal.saying import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from ingest.common.log_times import LineTimes
    from pipeline.wire.mo_log import Overlong

READ_OCTETS: Final = 256 * 1024
IN_FLIGHT: Final = 5_000
FIRST_LINES: Final = 100  # the most lines held back at the beginning until a time can be read
HEAD_OCTETS: Final = 4 * 1024
SAID_EVERY_OCTETS: Final = 32 * 1024 * 1024

FromOctet = Annotated[
    int,
    typer.Option(
        "--from-octet",
        metavar="N",
        min=0,
        help="Skip the first N octets; an import that failed says how many Kafka has.",
    ),
]


def import_log(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A mo.log of the gateway.")],
    from_octet: FromOctet = 0,
    home: Home = None,
) -> None:
    """Take every line of a mo.log as a part. Refused lines become dead letters.

    Importing the same file again changes nothing. A part that already came by a callback changes
    nothing either. The exit code is 1 if the last line has no line end and may be a STOP.
    """
    settings = settings_from(home=home)

    from kafka.errors import KafkaError

    from pipeline.cli.ask.broker import open_producer
    from pipeline.cli.terminal.local import clock_of
    from pipeline.home.stack import bootstrap_of
    from pipeline.kafka import topics
    from pipeline.wire.mo_log import may_hold_stop

    bootstrap = bootstrap_of(settings)
    with open_producer(bootstrap) as producer:
        taking = Taking(producer.send, now=clock_of(settings).now(), position=from_octet)
        try:
            rest = taking.send_lines(_octets_of(file, from_octet))
        except KafkaError as error:
            raise CommandError(
                f"Kafka has all lines up to octet {taking.acknowledged} of {file}, then it failed"
                f" ({type(error).__name__}). Import the file again: lines that Kafka has change"
                f" nothing, and --from-octet {taking.acknowledged} skips them"
            ) from error
    counts = taking.counts
    say(f"{counts[topics.MO_RAW]} lines taken, {counts[topics.DEAD_LETTER]} refused")
    if rest:
        words = (
            f"the last {len(rest)} octets were not taken: they are not a whole line, because the"
            " line end is missing"
        )
        if may_hold_stop(rest) or may_hold_stop(rest, _extra_stop_words(bootstrap)):
            raise CommandError(
                f"{words}. They may be a STOP: fetch {file} again and import all of it"
            )
        say(words, err=True)


def _extra_stop_words(bootstrap: str) -> tuple[str, ...]:
    """The extra stop words of all numbers, because an incomplete line may not name its number."""
    from pipeline.cli.consent.orders import numbers_in_force

    loaded = numbers_in_force(bootstrap)
    listed = loaded.numbers if loaded else []
    return tuple(dict.fromkeys(word for number in listed for word in number.extra_stop_words))


class Taking:
    """Publishes the lines of a file, at most `IN_FLIGHT` ahead of Kafka's acknowledgements."""

    def __init__(self, send: "Callable[..., Any]", *, now: "datetime", position: int) -> None:
        self.acknowledged = position
        self.counts: Counter[str] = Counter()
        self._send = send
        self._now = now
        # Acknowledgements in the order of the file, with positions between them. Once all
        # acknowledgements before a position have come, Kafka has every line up to it.
        self._waiting: deque[Any] = deque()

    def send_lines(self, blocks: "Iterator[bytes]") -> bytes:
        """Every line; gives what is left without a line end. Raises `KafkaError`."""
        from ingest.common.log_times import LineTimes
        from pipeline.wire.mo_log import LineSplitter

        splitter, times = LineSplitter(), LineTimes()
        first: list[bytes | Overlong] = []  # lines that wait for the first readable time
        rest, waits = b"", True
        read = said = self.acknowledged
        for octets in blocks:
            lines = [*first, *splitter.feed(octets)]
            read += len(octets)
            rest = (rest + octets)[len(rest) + len(octets) - splitter.pending :]
            first = []
            if waits and len(lines) < FIRST_LINES and not times.knows_a_time(lines):
                first = lines
                continue
            waits = False
            self._publish(lines, times)
            if not splitter.is_inside_overlong:
                self._waiting.append(read - splitter.pending)
            if read - said >= SAID_EVERY_OCTETS:
                said = read
                say(f"{self.counts.total()} lines, {read} octets", err=True)
        self._publish(first, times)
        if not splitter.is_inside_overlong:
            self._waiting.append(read - splitter.pending)
        self._await_all_but(0)
        return rest

    def _publish(self, lines: "list[bytes | Overlong]", times: "LineTimes") -> None:
        from ingest.common.log_lines import outgoing_from_line
        from pipeline.avro.single_object import encode

        for line, beside in times.beside(lines):
            one = outgoing_from_line(line, now=self._now, neighbour=beside)
            if one is not None:
                self._waiting.append(self._send(one.topic, key=one.key, value=encode(one.record)))
                self.counts[one.topic] += 1
                self._await_all_but(IN_FLIGHT)

    def _await_all_but(self, count: int) -> None:
        from pipeline.cli.ask.broker import ACKNOWLEDGE_SECONDS

        while len(self._waiting) > count:
            oldest = self._waiting.popleft()
            if isinstance(oldest, int):
                self.acknowledged = oldest
            else:
                oldest.get(timeout=ACKNOWLEDGE_SECONDS)


def _octets_of(file: Path, position: int) -> "Iterator[bytes]":
    """The octets of the file from `position` on, in blocks."""
    from pipeline.wire.mo_log import is_utf_16

    try:
        with file.open("rb") as opened:
            head = b"" if position else opened.peek(HEAD_OCTETS)[:HEAD_OCTETS]
            if is_utf_16(head):
                raise CommandError(
                    f"{file} is UTF-16, and mo.log is not: fetch it as it is on the server"
                )
            if position:  # without a position, a pipe works too, which cannot seek
                opened.seek(position)
            while octets := opened.read(READ_OCTETS):
                yield octets
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error
