"""Reads one log from its place on, batch by batch.

A batch is written to the checkpoint before it is published. The place moves once Kafka has
acknowledged the batch.
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
    """Publishes records; the result is whether Kafka acknowledged all of them."""

    def __call__(self, records: list[LogRecord]) -> Future[bool]: ...


class LogReading:
    """Reads one log from its place on. `window`: the octets before it; `save` writes a place."""

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
        self._end = place.position  # the end of the octets that the splitter was given
        self._held = b""  # octets of these after the last line end
        self._fresh = bytearray()
        self._fresh_since = 0.0
        self._on_its_way: tuple[Future[bool], LogPlace] | None = None
        self._again = place.batch

    @property
    def pending(self) -> int:
        """How many octets after the last line end were read."""
        return len(self._held)

    def read(self, blocks: Iterator[bytes], *, is_last: bool = False) -> bool:
        """Take all `blocks`; whether they brought a line. A `Trouble` is raised at the end.

        `is_last`: no more octets will come, so octets without a line end become a dead letter.
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
        """Take a batch if it is full or old. A repeated batch ends where it ended before."""
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
        """Wait for the batch before, write this batch to the checkpoint, then publish it."""
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
        """Wait for the batch that is being published; raises `Trouble` if Kafka refuses it."""
        if self._on_its_way is None:
            return
        (acknowledged, place), self._on_its_way = self._on_its_way, None
        if not acknowledged.result():
            raise Trouble("kafka", "Kafka did not acknowledge the lines: they are read again")
        self.place = place


def with_its_own_id(record: LogRecord, *, at: datetime, ordinal: int) -> LogRecord:
    """A dead letter with an id computed from its content, so that a repeat has the same id."""
    letter = record.record
    if not isinstance(letter, DeadLetter):
        return record
    stated = f"{at.isoformat()} {ordinal} ".encode()
    identity = blake2b(stated + letter.octets, digest_size=16).hexdigest()
    return msgspec.structs.replace(
        record, record=msgspec.structs.replace(letter, dead_letter_id=identity)
    )
