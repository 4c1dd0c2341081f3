"""Erasures applied to ClickHouse, while no row is on its way there."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol, TypeVar

from pipeline.avro import single_object
from pipeline.records import Erasure, ForgetRequest
from pipeline.sms.msisdn import address_from_text
from pipeline.store.forgotten import SLACK_MS, Forgotten
from pipeline.suppression_key import SuppressionKey, SuppressionKeyError, read_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from pathlib import Path

    from aiokafka.structs import ConsumerRecord

    from pipeline.store.clickhouse.writer import Writer

    ReadKey = Callable[[Path], SuppressionKey | None]

log = logging.getLogger(__name__)

Kind = TypeVar("Kind", Erasure, ForgetRequest)


class ErasureTopics(Protocol):
    """What must be asked of Kafka. May raise `KafkaError`."""

    async def erasures(self) -> Sequence[ConsumerRecord]:
        """Every record of the topic `erasure` there is by now."""

    async def order(self, partition: int, offset: int) -> ConsumerRecord | None:
        """The record of forget-request at this place; None when Kafka has it no more."""

    async def offsets_after(self, at_ms: int) -> Mapping[tuple[str, int], int]:
        """The first offset written after a time, of every partition that is stored."""


class Gate:
    """Lets writers pass side by side, and an erasure alone."""

    def __init__(self) -> None:
        self._writing = 0
        self._changed = asyncio.Condition()
        self._erasing = asyncio.Lock()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """From before records are judged until their rows are there."""
        async with self._erasing:
            self._writing += 1
        try:
            yield
        finally:
            async with self._changed:
                self._writing -= 1
                self._changed.notify_all()

    @asynccontextmanager
    async def erasing(self) -> AsyncIterator[None]:
        """When no rows are under way, and until the end of it none begin."""
        async with self._erasing:
            async with self._changed:
                await self._changed.wait_for(lambda: not self._writing)
            yield


class Erasures:
    """Knows whom the store keeps out, and deletes their rows when their erasure comes by."""

    def __init__(
        self,
        *,
        writer: Writer,
        key_file: Path,
        topics: ErasureTopics,
        read_key: ReadKey = read_key,
    ) -> None:
        self._writer = writer
        self._file = key_file
        self._read_key = read_key
        self._topics = topics
        self._key: SuppressionKey | None = None
        self.forgotten = Forgotten()

    async def load(self) -> None:
        """Take note of all there are, before anything older is read again.

        Raises `SuppressionKeyError`: without the key what was erased would come back unnoticed.
        """
        for record in await self._topics.erasures():
            erasure = _read(record, Erasure)
            if erasure is not None:
                self._note(erasure, record.timestamp)

    async def apply(self, record: ConsumerRecord) -> None:
        """Delete what an erasure is about; again deletes nothing more."""
        erasure = _read(record, Erasure)
        if erasure is None:  # it becomes a dead letter
            return
        until_ms = self._note(erasure, record.timestamp)
        found = await self._topics.order(record.partition, erasure.order_offset)
        order = _read(found, ForgetRequest) if found is not None else None
        if order is None:
            log.error(
                "erasure %s comes too late: its order, with the number, is no longer in Kafka;"
                " rows of that handset stay",
                erasure.erasure_id,
            )
            return
        handset = address_from_text(order.handset)
        if self._held_key().of(handset).hex() != erasure.suppression:
            raise SuppressionKeyError(
                f"erasure {erasure.erasure_id} is not of the handset its order names"
            )
        before = await self._topics.offsets_after(until_ms)
        deleted = await self._writer.erase(handset, before)
        log.info("erasure %s: %d rows deleted", erasure.erasure_id, sum(deleted.values()))

    def _note(self, erasure: Erasure, at_ms: int) -> int:
        key = self._held_key()
        if key.fingerprint.hex() != erasure.key_id:
            raise SuppressionKeyError(
                f"the key {self._file} is not the one under which handsets were forgotten:"
                " put that one back"
            )
        if not self.forgotten.has_key:
            self.forgotten.take_key(key)
        until_ms = at_ms + SLACK_MS
        self.forgotten.note(bytes.fromhex(erasure.suppression), until_ms)
        return until_ms

    def _held_key(self) -> SuppressionKey:
        self._key = self._key or self._read_key(self._file)
        if self._key is None:
            raise SuppressionKeyError(
                f"handsets were forgotten, and the key that tells which is not there: put it back"
                f" at {self._file}"
            )
        return self._key


def _read(record: ConsumerRecord, kind: type[Kind]) -> Kind | None:
    """The record, where it is one of this kind."""
    try:
        value = single_object.decode(record.value or b"")
    except single_object.Unreadable:
        return None
    return value if isinstance(value, kind) else None
