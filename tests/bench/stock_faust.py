"""The same stages on stock faust-streaming, as a Faust user would write them, for comparison.

    python -m tests.bench.stock_faust BOOTSTRAP HOME memory://|rocksdb://

One agent reads mo-raw and mt-request, with Faust tables and changelogs, at least once, and one send
for each output record. The stages are those of `Conversation`. It gets the parts of the engine that
it needs: tables over Faust's tables, and a way to send. In Faust's favour, ticks and due times are
left out, and its producer gathers records as the bare producer does.
"""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final

import faust
import uvloop

from pipeline.avro import single_object
from pipeline.conversation.agent import Conversation
from pipeline.conversation.tables import DIRECTORY, TABLES
from pipeline.engine.state.memory import MemoryStore
from pipeline.engine.state.rows import StateRow
from pipeline.engine.state.tables import Table
from pipeline.kafka import topics
from pipeline.settings import Settings
from tests.bench.traffic import directory

if TYPE_CHECKING:
    from datetime import datetime

    from faust.types import Message

PREFIX: Final = "stock"
OUTPUTS: Final = (
    topics.MO_PART,
    topics.MO_MESSAGE,
    topics.CONSENT_CHANGE,
    topics.MT_COMMAND,
    topics.MT_REJECTION,
    topics.MT_STATE,
    topics.ACCOUNT_CHARGE,
    topics.DEAD_LETTER,
)
STORES: Final = ("memory://", "rocksdb://")


def app_id_of(store: str) -> str:
    """The consumer group, and the prefix of the names of its topics."""
    return f"{PREFIX}-{store.partition(':')[0]}"


def topic_names(store: str) -> dict[str, dict[str, str]]:
    """The topics to create beforehand, with their settings."""
    app_id = app_id_of(store)
    changelogs = {f"{app_id}-{table}-changelog": {"cleanup.policy": "compact"} for table in TABLES}
    return changelogs | {f"{app_id}-{topic}": {} for topic in OUTPUTS}


class RowsOfFaust:
    """A Faust table in the form of one of our tables' committed rows. Nothing becomes due."""

    def __init__(self, table: faust.Table) -> None:
        self._table = table

    def __len__(self) -> int:
        return 0  # asked of suppressions alone, of which there are none

    def get(self, key: bytes) -> StateRow | None:
        value = self._table.get(key)
        return None if value is None else StateRow(value)

    def keys(self, prefix: bytes) -> list[bytes]:
        raise NotImplementedError

    def due(self, until: int, at_most: int) -> list[tuple[int, bytes]]:
        return []

    def first_due(self) -> int | None:
        return None

    def write(self, changes: dict[bytes, StateRow | None]) -> None:
        """Write the changes of one event."""
        for key, row in changes.items():
            if row is not None:
                self._table[key] = row.value
            elif key in self._table:
                del self._table[key]


class WorkOverFaust:
    """The part of a unit of work that `Conversation` uses; it holds the outputs of one event."""

    def __init__(self, tables: dict[str, Table]) -> None:
        self.tables = tables
        self.time: datetime | None = None
        self.outputs: list[tuple[str, bytes | None, bytes]] = []

    def send(
        self, topic: str, key: bytes | None, value: bytes, *, partition: int | None = None
    ) -> None:
        self.outputs.append((topic, key, value))


def as_kafka_has_it(message: Message) -> SimpleNamespace:
    """The record of a message; Faust has its time in seconds, Kafka in whole milliseconds."""
    return SimpleNamespace(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        timestamp=round(1_000 * message.timestamp),
        key=message.key,
        value=message.value,
        headers=(),
    )


def create_app(bootstrap: str, home: Path, store: str, partitions: int) -> faust.App:
    """The stock app."""
    app_id = app_id_of(store)
    app = faust.App(
        app_id,
        broker=f"kafka://{bootstrap}",
        store=store,
        processing_guarantee="at_least_once",
        producer_linger=0.005,
        producer_max_batch_size=1 << 17,
        topic_partitions=partitions,
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        web_enabled=False,
        datadir=home,
    )
    raw = partial(
        app.topic, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
    )
    options = {"driver": "rocksdict"} if store == "rocksdb://" else None
    rows = {
        name: RowsOfFaust(
            app.Table(
                name,
                key_type=bytes,
                value_type=bytes,
                partitions=partitions,
                options=options,
                changelog_topic=raw(f"{app_id}-{name}-changelog", compacting=True),
            )
        )
        for name in TABLES
        if name != DIRECTORY
    }
    # The directory is the same for everyone and given beforehand.
    tables = {name: Table(store) for name, store in rows.items()}
    tables[DIRECTORY] = Table(MemoryStore())
    sinks = {topic: raw(f"{app_id}-{topic}") for topic in OUTPUTS}
    settings = Settings(partitions=partitions)
    conversations = {n: Conversation(partition=n, settings=settings) for n in range(partitions)}
    numbers = SimpleNamespace(topic=topics.NUMBERS, value=single_object.encode(directory()))
    for conversation in conversations.values():
        conversation.process_record(WorkOverFaust(tables), numbers)

    @app.agent(raw(topics.MO_RAW, topics.MT_REQUEST))
    async def converse(stream: faust.Stream[bytes]) -> None:
        async for event in stream.events():
            work = WorkOverFaust(tables)
            record = as_kafka_has_it(event.message)
            conversations[record.partition].process_record(work, record)
            for name, store in rows.items():
                if tables[name].changes:
                    store.write(tables[name].changes)
                    tables[name].changes = {}
            for topic, key, value in work.outputs:
                await sinks[topic].send(key=key, value=value)

    return app


def main() -> None:
    """Run until told to stop."""
    bootstrap, home, store, partitions = sys.argv[1:]
    app = create_app(bootstrap, Path(home), store, int(partitions))
    app.finalize()
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    app.Worker(loop=loop, loglevel="WARNING", redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main()
