"""Applies erasures to ClickHouse, while no other rows are being written."""

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
    """The reads of Kafka that an erasure needs; each may raise `KafkaError`."""

    async def erasures(self) -> Sequence[ConsumerRecord]:
        """Every record that the topic `erasure` has now."""

    async def order(self, partition: int, offset: int) -> ConsumerRecord | None:
        """The record of forget-request at this offset; None if Kafka no longer has it."""

    async def offsets_after(self, at_ms: int) -> Mapping[tuple[str, int], int]:
        """For every partition that is stored, the first offset written after a time."""


class Gate:
    """A lock that many writers may hold at once, but an erasure only alone."""

    def __init__(self) -> None:
        self._writing = 0
        self._changed = asyncio.Condition()
        self._erasing = asyncio.Lock()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """Hold the lock as a writer, from the check of the records until their rows are written."""
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
        """Wait until no writer holds the lock, then keep all writers out."""
        async with self._erasing:
            async with self._changed:
                await self._changed.wait_for(lambda: not self._writing)
            yield


class Erasures:
    """Knows the forgotten handsets, and deletes their rows when it gets their erasure."""

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
        """Read all erasures, before records that are older than them are read again.

        Raises `SuppressionKeyError` without the key: erased rows would come back unnoticed.
        """
        for record in await self._topics.erasures():
            erasure = _read(record, Erasure)
            if erasure is not None:
                self._note(erasure, record.timestamp)

    async def apply(self, record: ConsumerRecord) -> None:
        """Delete the rows of an erasure's handset. A repeated call deletes nothing more."""
        erasure = _read(record, Erasure)
        if erasure is None:  # it becomes a dead letter
            return
        until_ms = self._note(erasure, record.timestamp)
        found = await self._topics.order(record.partition, erasure.order_offset)
        order = _read(found, ForgetRequest) if found is not None else None
        if order is None:
            log.error(
                "erasure %s comes too late: Kafka no longer has its order with the number; the rows"
                " of that handset stay",
                erasure.erasure_id,
            )
            return
        handset = address_from_text(order.handset)
        if self._held_key().of(handset).hex() != erasure.suppression:
            raise SuppressionKeyError(
                f"erasure {erasure.erasure_id} is not of the handset that its order names"
            )
        before = await self._topics.offsets_after(until_ms)
        deleted = await self._writer.erase(handset, before)
        log.info("erasure %s: %d rows deleted", erasure.erasure_id, sum(deleted.values()))

    def _note(self, erasure: Erasure, at_ms: int) -> int:
        key = self._held_key()
        if key.fingerprint.hex() != erasure.key_id:
            raise SuppressionKeyError(
                f"the key {self._file} is not the key under which handsets were forgotten:"
                " restore that key"
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
                f"handsets were forgotten, but the suppression key is missing: restore it at"
                f" {self._file}"
            )
        return self._key


def _read(record: ConsumerRecord, kind: type[Kind]) -> Kind | None:
    """The record if it is of this kind, else None."""
    try:
        value = single_object.decode(record.value or b"")
    except single_object.Unreadable:
        return None
    return value if isinstance(value, kind) else None
