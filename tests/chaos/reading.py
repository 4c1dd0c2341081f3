"""The outputs: the committed records of the topics, and the rows of ClickHouse."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Final

import aiohttp
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from pipeline.avro import single_object
from pipeline.engine.state.disk import DiskRows, Memory
from pipeline.kafka import topics
from tests.chaos.checker import ID_OF, Entry
from tests.chaos.tables import POINT_KEY, Change, Database

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

IDLE_READS: Final = 5


class Topics:
    """Reads the new records at each call."""

    def __init__(self, bootstrap: str, partitions: int) -> None:
        self._bootstrap = bootstrap
        self._partitions = [TopicPartition(t, p) for t in ID_OF for p in range(partitions)]
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap, isolation_level="read_committed"
        )
        self.entries: dict[str, list[Entry]] = {topic: [] for topic in ID_OF}

    async def __aenter__(self) -> Topics:
        await self._consumer.start()
        self._consumer.assign(self._partitions)
        await self._consumer.seek_to_beginning()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def read(self) -> int:
        """Read the new records; return how many."""
        ends = await self._consumer.end_offsets(self._partitions)
        count = idle = 0
        while idle < IDLE_READS and await self._is_behind(ends):
            batches = await self._consumer.getmany(timeout_ms=500)
            idle = 0 if batches else idle + 1
            for tp, records in batches.items():
                count += len(records)
                self.entries[tp.topic] += [
                    Entry(tp.partition, r.offset, r.timestamp, single_object.decode(r.value))
                    for r in records
                ]
        return count

    async def _is_behind(self, ends: dict[TopicPartition, int]) -> bool:
        positions = [(await self._consumer.position(tp), end) for tp, end in ends.items()]
        return any(position < end for position, end in positions)

    async def lag(self, group: str, topics: Iterable[str]) -> int:
        """How many records of these topics `group` has not committed."""
        mine = [tp for tp in self._partitions if tp.topic in topics]
        ends = await self._consumer.end_offsets(mine)
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        await admin.start()
        try:
            committed = await admin.list_consumer_group_offsets(group)
        finally:
            await admin.close()
        done = {tp: max(0, committed[tp].offset) if tp in committed else 0 for tp in mine}
        return sum(max(0, ends[tp] - done[tp]) for tp in mine)


async def changes(bootstrap: str, partitions: int) -> list[Change]:
    """Every record of the changelog."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed")
    await consumer.start()
    try:
        wanted = [TopicPartition(topics.CONVERSATION_CHANGELOG, p) for p in range(partitions)]
        consumer.assign(wanted)
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(wanted)
        found: list[Change] = []
        while any([await consumer.position(tp) < end for tp, end in ends.items()]):
            for tp, records in (await consumer.getmany(timeout_ms=500)).items():
                found += [Change(tp.partition, r.offset, r.key, r.value) for r in records]
        return found
    finally:
        await consumer.stop()


def databases(home: Path) -> Iterator[Database]:
    """The databases that the workers of a home left on its disk; the workers must have ended."""
    memory = Memory()
    for folder in sorted((home / "state").glob("*/*/*")):
        if not folder.is_dir():
            continue
        held = DiskRows(folder, identity="", memory=memory)
        try:
            rows = {POINT_KEY: held.point} if held.point else {}
            for key, value in held._database.items():
                if 0 < key[0] < 0xFF:
                    rows[key] = value
            name = str(folder.relative_to(home))
            yield Database(name, int(folder.name), held.reached.offset, rows)
        finally:
            held.close()


class Rows:
    """The rows of ClickHouse, asked at the address of the report."""

    def __init__(self, report: str) -> None:
        self._url = f"{report}/sql"

    async def count(self) -> dict[str, int]:
        """The number of rows of each view, by topic."""
        counts = {}
        for topic in ID_OF:
            (row,) = await self._ask(f"SELECT count() AS n FROM {_view(topic)}")
            counts[topic] = int(row["n"])
        return counts

    async def read(self) -> dict[str, Counter[str]]:
        """Every row as its place and id."""
        return {topic: await self._rows(topic) for topic in ID_OF}

    async def _rows(self, topic: str) -> Counter[str]:
        name = ID_OF[topic] or "''"
        columns = f"kafka_partition AS p, kafka_offset AS o, {name} AS id"
        rows = await self._ask(f"SELECT {columns} FROM {_view(topic)}")
        return Counter(f"{row['p']}/{row['o']} {row['id']}" for row in rows)

    async def _ask(self, query: str) -> list[dict[str, object]]:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as http,
            http.post(self._url, json={"query": query}) as answer,
        ):
            text = await answer.text()
            if answer.status != 200:
                raise RuntimeError(f"the report answered {answer.status}: {text}")
        return [json.loads(line) for line in text.splitlines()]


def _view(topic: str) -> str:
    return topic.replace("-", "_")
