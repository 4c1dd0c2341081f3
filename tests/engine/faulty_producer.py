"""A producer with its broker, for the tests: it fails at a chosen step."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

Rows = list[tuple[bytes | None, bytes | None]]

BATCH_RECORDS = 3


class Fault(Exception):
    pass


class Batch:
    def __init__(self) -> None:
        self.records: Rows = []

    def append(self, *, key, value, timestamp, headers=()):
        if len(self.records) == BATCH_RECORDS:
            return None
        self.records.append((key, value))
        return True

    def close(self) -> None:
        pass

    def record_count(self) -> int:
        return len(self.records)


class FaultyProducer:
    """A producer and its broker. It fails at a step, before or after the step has its effect.

    It continues from the records that `before`, which it replaces, has made visible; the open
    transaction of `before` is gone.
    """

    def __init__(
        self, *, at: int | None = None, after: bool = False, before: FaultyProducer | None = None
    ) -> None:
        self._at, self._after = at, after
        self.steps: list[str] = []
        self._open: dict[str, Rows] = {}
        self._open_offsets: dict[str, int] = {}
        self.visible: dict[str, Rows] = before.visible if before else {}
        self.offsets: dict[str, int] = before.offsets if before else {}
        self.committed: list[dict[str, int]] = []  # offsets by transaction

    def _fails(self, name: str) -> bool:
        self.steps.append(name)
        return len(self.steps) - 1 == self._at

    async def _step(self, name, effect=lambda: None) -> None:
        fails = self._fails(name)
        await asyncio.sleep(0)
        if fails and not self._after:
            raise Fault
        effect()
        if fails:
            raise Fault

    async def begin_transaction(self) -> None:
        await self._step("begin")

    def create_batch(self) -> Batch:
        return Batch()

    async def send_batch(self, batch, topic, *, partition):
        rows = self._open.setdefault(topic, [])
        offset = len(self.visible.get(topic, [])) + len(rows)
        await self._step("hand over a batch", lambda: rows.extend(batch.records))
        future = asyncio.get_running_loop().create_future()
        if self._fails("acknowledge a batch"):
            future.set_exception(Fault())
        else:
            future.set_result(SimpleNamespace(offset=offset))
        return future

    async def send_offsets_to_transaction(self, offsets, group) -> None:
        offered = {tp.topic: held.offset for tp, held in offsets.items()}
        await self._step("send offsets", lambda: self._open_offsets.update(offered))

    async def commit_transaction(self) -> None:
        def show() -> None:
            for topic, rows in self._open.items():
                self.visible.setdefault(topic, []).extend(rows)
            self.offsets.update(self._open_offsets)
            self.committed.append(dict(self.offsets))
            self._open = {}

        await self._step("commit", show)
