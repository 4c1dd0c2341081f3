"""Reads one log on from its place, a batch at a time.

A batch is noted down before it is published, and the place moves once Kafka has acknowledged it.
"""

from __future__ import annotations

from hashlib import blake2b
from time import monotonic
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from ingest.common.log_lines import LogRecord, letter_from_line, outgoing_from_line
from ingest.common.log_times import LineTimes
from ingest.ftp import metrics
from ingest.ftp.places import WINDOW_OCTETS, LogBatch, LogMark, LogPlace, digest_of, head_of, moved
from pipeline.peer.ftp.trouble import Trouble
from pipeline.records import DeadLetter, Reason, Rejected
from pipeline.wire.mo_log import LineSplitter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future
    from datetime import datetime

    from pipeline.wire.mo_log import Overlong

LOG_BATCH_OCTETS: Final = 256 * 1024
BATCH_SECONDS: Final = 1.0
UNENDED: Final = Rejected(Reason.UNREADABLE_RECORD, "the last line of a rotated log has no end")


class Publish(Protocol):
    """Sends records off; the result is whether Kafka acknowledged all of them."""

    def __call__(self, records: list[LogRecord]) -> Future[bool]: ...


class LogReading:
    """One log from its place on. `window` is what lies before it; `save` keeps a place on disk."""

    def __init__(
        self,
        place: LogPlace,
        *,
        window: bytes,
        publish: Publish,
        save: Callable[[LogPlace], None],
        now: Callable[[], datetime],
    ) -> None:
        self.place = place
        self._window = window
        self._publish = publish
        self._save = save
        self._now = now
        self._times = LineTimes(place.marks[-1].last_time if place.marks else None)
        is_inside = bool(place.marks) and place.marks[-1].is_inside_overlong
        self._splitter = LineSplitter(is_inside_overlong=is_inside)
        self._end = place.position  # of what the splitter was given
        self._held = b""  # of that, what has no line end yet
        self._fresh = bytearray()
        self._fresh_since = 0.0
        self._on_its_way: tuple[Future[bool], LogPlace] | None = None
        self._again = place.batch

    @property
    def pending(self) -> int:
        """How many octets were read and wait for the end of their line."""
        return len(self._held)

    def read(self, blocks: Iterator[bytes], *, is_last: bool = False) -> bool:
        """Take all of `blocks`; whether that brought a line. Of a broken stream what came counts.

        With `is_last` no more is awaited: octets without a line end go to the dead letter.
        """
        before = self.place.position
        broken: Trouble | None = None
        while True:
            try:
                block = next(blocks, b"")
            except Trouble as trouble:
                broken = trouble
                break
            if not block:
                break
            if not self._fresh:
                self._fresh_since = monotonic()
            self._fresh += block
            self._take_whole_batches()
        if self._fresh:
            self._take(len(self._fresh))
        self._settle()
        has_grown = self.place.position != before
        if is_last and self._held and not has_grown and not broken:
            self._bury_rest()
        if self.place.position != before:
            self._save(self.place)
        if broken:
            raise broken
        return has_grown

    def _bury_rest(self) -> None:
        at = self._now()
        rest, self._held = self._held, b""
        self._send([letter_from_line(rest, UNENDED, now=at)], consumed=rest, at=at)
        self._settle()

    def _take_whole_batches(self) -> None:
        """A batch is full, or its first octets have waited; one sent again is cut as it was."""
        if self._again:
            left = self._again.until - self._end
            if len(self._fresh) >= left:
                self._take(left)
            return
        is_old = monotonic() - self._fresh_since > BATCH_SECONDS
        if is_old or len(self._fresh) >= LOG_BATCH_OCTETS:
            self._take(min(len(self._fresh), LOG_BATCH_OCTETS))

    def _take(self, count: int) -> None:
        octets = bytes(self._fresh[:count])
        del self._fresh[:count]
        again, self._again = self._again, None
        at = again.at if again else self._now()
        self._end += count
        lines = self._splitter.feed(octets)
        read = self._held + octets
        consumed = read[: len(read) - self._splitter.pending]
        self._held = read[len(consumed) :]
        metrics.OCTETS.inc(count)
        if consumed:
            self._send(self._records(lines, at), consumed=consumed, at=at)

    def _records(self, lines: list[bytes | Overlong], at: datetime) -> list[LogRecord]:
        records = [
            with_its_own_id(record, at=at, ordinal=ordinal)
            for ordinal, (line, beside) in enumerate(self._times.beside(lines))
            if (record := outgoing_from_line(line, now=at, neighbour=beside)) is not None
        ]
        refused = sum(isinstance(each.record, DeadLetter) for each in records)
        metrics.LINES.labels("taken").inc(len(records) - refused)
        metrics.LINES.labels("refused").inc(refused)
        metrics.LINES.labels("blank").inc(len(lines) - len(records))
        return records

    def _send(self, records: list[LogRecord], *, consumed: bytes, at: datetime) -> None:
        """Publish, once what went before has been acknowledged and this is noted down."""
        self._settle()
        place = self.place
        if place.head is None and place.position == 0:
            place = msgspec.structs.replace(place, head=head_of(consumed))
        position = place.position + len(consumed)
        noted = msgspec.structs.replace(place, batch=LogBatch(self._end, at))
        self.place = noted
        self._save(noted)
        self._window = (self._window + consumed)[-WINDOW_OCTETS:]
        mark = LogMark(
            position,
            digest_of(self._window),
            self._splitter.is_inside_overlong,
            self._times.last,
        )
        self._on_its_way = (self._publish(records), moved(place, mark))

    def _settle(self) -> None:
        """Wait for what is on its way; raises `Trouble` when Kafka does not acknowledge it."""
        if self._on_its_way is None:
            return
        (acknowledged, place), self._on_its_way = self._on_its_way, None
        if not acknowledged.result():
            raise Trouble("kafka", "Kafka did not acknowledge the lines: they are read again")
        self.place = place


def with_its_own_id(record: LogRecord, *, at: datetime, ordinal: int) -> LogRecord:
    """A dead letter under an id that follows from what it is: sent again it is the same one."""
    letter = record.record
    if not isinstance(letter, DeadLetter):
        return record
    stated = f"{at.isoformat()} {ordinal} ".encode()
    identity = blake2b(stated + letter.octets, digest_size=16).hexdigest()
    return msgspec.structs.replace(
        record, record=msgspec.structs.replace(letter, dead_letter_id=identity)
    )
