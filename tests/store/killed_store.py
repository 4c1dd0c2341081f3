"""A store on the real engine that kills itself with SIGKILL at the n-th await: `HOME SEED [N]`."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from typing import TYPE_CHECKING

from pipeline.settings import Settings
from pipeline.store.clickhouse.database import Database
from pipeline.store.clickhouse.writer import ClickHouseWriter
from pipeline.store.sink.lane import BlockLimits
from pipeline.store.sink.sink import Sink
from tests.store.kafka_fake import FakeOffsets, Fuse, Partition, play
from tests.store.sink.logs import log_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


class DeadlyFuse(Fuse):
    """Kills the process: no handler runs, nothing is flushed."""

    def step(self) -> None:
        self.steps += 1
        if self.steps == self.burn_at:
            os.kill(os.getpid(), signal.SIGKILL)


class FiledOffsets(FakeOffsets):
    """Committed offsets in a file that is replaced as a whole."""

    file: Path

    async def commit(self, positions: Mapping[Partition, tuple[int, str]]) -> None:
        self.fuse.step()
        self.positions |= positions
        draft = self.file.with_suffix(".new")
        draft.write_text(json.dumps([[*tp, *position] for tp, position in self.positions.items()]))
        draft.replace(self.file)
        self.moved.set()
        self.fuse.step()

    async def committed(
        self, partitions: Collection[Partition]
    ) -> Mapping[Partition, tuple[int, str]]:
        if self.file.exists():
            rows = json.loads(self.file.read_text())
            self.positions = {(topic, p): (offset, words) for topic, p, offset, words in rows}
        return await super().committed(partitions)


class FusedWriter:
    """The real writer, with the fuse before and after each insert."""

    def __init__(self, writer: ClickHouseWriter, fuse: Fuse) -> None:
        self._writer, self._fuse = writer, fuse

    async def insert(self, *given: object, **named: object) -> None:
        self._fuse.step()
        await self._writer.insert(*given, **named)  # type: ignore[arg-type]
        self._fuse.step()


async def main(home: Path, seed: int, burn_at: int | None) -> None:
    fuse = DeadlyFuse(burn_at)
    offsets = FiledOffsets(fuse)
    offsets.file = home / "offsets.json"
    with Database(Settings(home=home)) as database:
        writer = ClickHouseWriter(database.writing)
        sink = Sink(writer=FusedWriter(writer, fuse), limits=BlockLimits(rows=7, seconds=0.0))
        assert await play(sink, log_of(seed=seed), offsets, seed=seed)
        writer.close()
        for table in ("mo_message_rows", "mo_raw_rows", "mo_message", "mo_raw"):
            places = database.writing.query(
                f"SELECT kafka_partition, kafka_offset FROM twoway.{table} ORDER BY ALL"
            ).result_rows
            print(json.dumps([table, places]))


if __name__ == "__main__":
    home, seed, *burn_at = sys.argv[1:]
    asyncio.run(main(Path(home), int(seed), int(burn_at[0]) if burn_at else None))
