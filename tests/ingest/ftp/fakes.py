"""A server's folder in memory, a writer that appends to mo.log, and the Kafka that a poll sees."""

from __future__ import annotations

from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ingest.ftp.checkpoint import Checkpoint
from ingest.ftp.followed import Logs
from ingest.ftp.follower import Follower
from pipeline.peer.ftp.trouble import Missing
from pipeline.records import DeadLetter, MoRaw

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingest.common.log_lines import LogRecord
    from ingest.ftp.files import Files

NOON = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)
LOG = "mo.log"


class FakeFiles:
    """A folder; `block` octets come at a time. It can lack SIZE or REST."""

    def __init__(
        self, *, block: int = 7, has_size: bool = True, ignores_rest: bool = False
    ) -> None:
        self.files: dict[str, bytearray] = {}
        self.skips = False
        self.read_octets = 0
        self._block = block
        self._has_size = has_size
        self._ignores_rest = ignores_rest

    def names(self) -> list[str]:
        return list(self.files)

    def listing(self) -> object:
        return {name: bytes(octets) for name, octets in self.files.items()}

    def size(self, name: str) -> int | None:
        return len(self.files[name]) if self._has_size and name in self.files else None

    @contextmanager
    def opened(self, name: str, start: int) -> Iterator[Iterator[bytes]]:
        if name not in self.files:
            raise Missing(name)
        yield self._blocks(bytes(self.files[name]), start)

    def _blocks(self, octets: bytes, start: int) -> Iterator[bytes]:
        sent_from = 0 if self._ignores_rest and not self.skips else start
        for at in range(sent_from, len(octets), self._block):
            block = octets[at : at + self._block]
            self.read_octets += len(block)
            yield block


class FakeKafka:
    """Keeps the published records, and acknowledges them or not."""

    def __init__(self) -> None:
        self.records: list[LogRecord] = []
        self.refuses = 0  # batches: kept or not, they are not acknowledged
        self.keeps_refused = True

    def publish(self, records: list[LogRecord]) -> Future[bool]:
        answer: Future[bool] = Future()
        is_refused, self.refuses = self.refuses > 0, max(0, self.refuses - 1)
        if not is_refused or self.keeps_refused:
            self.records += records
        answer.set_result(not is_refused)
        return answer

    def octets(self) -> list[bytes]:
        """The octets of the lines, in raw events and dead letters."""
        records = [each.record for each in self.records]
        return [each.octets for each in records if isinstance(each, MoRaw | DeadLetter)]


class Watch:
    """A poller without process and server: it polls, dies, and starts again from its checkpoint."""

    def __init__(self, files: Files, kafka: FakeKafka) -> None:
        self._files = files
        self._kafka = kafka
        self._ticks = 0
        self.written = Checkpoint(log="here")
        self.start()

    def start(self, where: str = "here") -> None:
        """Start as after a kill: what is not in the checkpoint is forgotten."""
        self.follower = Follower(
            LOG,
            Logs(self.written, write=self._write),
            where=where,
            publish=self._kafka.publish,
            now=self._now,
        )

    def poll(self) -> None:
        self.follower.poll(self._files)

    def _write(self, checkpoint: Checkpoint) -> None:
        self.written = checkpoint

    def _now(self) -> datetime:
        """A different time at each call, so that records with equal times are so on purpose."""
        self._ticks += 1
        return NOON + timedelta(seconds=self._ticks)
