"""The agent `store`: it reads every topic but `clock` for ClickHouse."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from pipeline.engine.faust.app import TP, App, create_faust_app, run_faust_app
from pipeline.home.stack import bootstrap_of
from pipeline.kafka import readers
from pipeline.kafka.client.answers import bound_answers
from pipeline.kafka.committed import committed_offsets
from pipeline.kafka.login.options import serving_options
from pipeline.process.stop import stop_loudly
from pipeline.store.erasure.apply import Erasures
from pipeline.store.erasure.topics import KafkaErasureTopics
from pipeline.suppression_key import key_file, read_key

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pipeline.engine.batch import Batch
    from pipeline.settings import Settings
    from pipeline.store.erasure.apply import ReadKey
    from pipeline.store.sink.sink import Sink

QUEUED_BATCHES: Final = 64
FETCH_GAP_SECONDS: Final = 0.25  # a block waits for its rows longer than this anyway


def run_agent(settings: Settings, sink: Sink, *, read_key: ReadKey = read_key) -> None:
    """Feed `sink` until the process is told to stop; ends the process."""
    run_faust_app(create_store_app(settings, sink, read_key=read_key), settings)


def create_store_app(settings: Settings, sink: Sink, *, read_key: ReadKey = read_key) -> App:
    """The Faust app that feeds `sink` from every topic that it stores, and applies erasures."""
    bootstrap = bootstrap_of(settings)
    app = create_faust_app(readers.STORE, bootstrap=bootstrap, settings=settings)
    erasures = Erasures(
        writer=sink.writer,
        key_file=key_file(settings),
        topics=KafkaErasureTopics(bootstrap, stored=sink.topics, partitions=settings.partitions),
        read_key=read_key,
    )
    sink.start(GroupOffsets(app, bootstrap), erasures)
    StoreAgent(app, sink=sink, source=sink.topics).register()
    return app


class GroupOffsets:
    """Reads and commits offsets with metadata, as a member of the store's group."""

    def __init__(self, app: App, bootstrap: str) -> None:
        self._app = app
        self._bootstrap = bootstrap

    async def commit(self, offsets: Mapping[tuple[str, int], tuple[int, str]]) -> None:
        """Commit next offset and metadata by (topic, partition)."""
        await self._app.consumer.commit_offsets(
            {TopicPartition(*tp): OffsetAndMetadata(*held) for tp, held in offsets.items()}
        )

    async def committed(
        self, partitions: Collection[tuple[str, int]]
    ) -> dict[tuple[str, int], tuple[int, str]]:
        """Next offset and metadata of each partition that has a commit."""
        admin = AIOKafkaAdminClient(**serving_options(self._bootstrap))
        bound_answers(admin._client)  # noqa: SLF001 - there is no other way in
        await admin.start()
        try:
            wanted = [TopicPartition(*tp) for tp in sorted(partitions)]
            found = await committed_offsets(admin, readers.STORE, wanted)
        finally:
            await admin.close()
        return {
            (tp.topic, tp.partition): (held.offset, held.metadata)
            for tp, held in found.items()
            if held.offset >= 0
        }

    async def beginnings(
        self, partitions: Collection[tuple[str, int]]
    ) -> dict[tuple[str, int], int]:
        """The first offset that Kafka still has in each partition."""
        wanted = [TP(*tp) for tp in sorted(partitions)]
        found = await self._app.consumer.earliest_offsets(*wanted)
        return {(tp.topic, tp.partition): offset for tp, offset in found.items()}


class StoreAgent:
    """Feeds the sink, and tells the sink which partitions it owns."""

    def __init__(self, app: App, *, sink: Sink, source: tuple[str, ...]) -> None:
        self._app = app
        self._sink = sink
        self._source = source
        self._queue: asyncio.Queue[Batch] = asyncio.Queue()
        self._feeding: asyncio.Task[None] | None = None

    def register(self) -> None:
        """Register the agent and its rebalance callbacks with the app."""
        channel = self._app.topic(
            *self._source, key_serializer="raw", value_serializer="raw", value_type=bytes
        )

        async def store(stream: Any) -> None:
            async for batch in stream:
                self._queue.put_nowait(batch)

        self._app.agent(channel, name="store")(store)
        self._app.on_partitions_revoked.connect(self._revoked, weak=False)
        self._app.on_partitions_assigned.connect(self._assigned, weak=False)
        self._app.on_before_shutdown.connect(self._revoked, weak=False)

    def _has_room(self, tp: TP) -> bool:
        is_short = self._queue.qsize() < QUEUED_BATCHES
        return is_short and self._sink.has_room(tp.topic, tp.partition)

    async def _revoked(self, _app: App, *_: Any, **__: Any) -> None:
        feeding, self._feeding = self._feeding, None
        if feeding is not None:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
        self._queue = asyncio.Queue()
        await self._sink.revoked()

    async def _assigned(self, _app: App, assigned: set[TP], **_: Any) -> None:
        self._app.consumer.has_room = self._has_room
        self._app.consumer.fetch_gap_seconds = FETCH_GAP_SECONDS
        if self._feeding is not None:
            self._feeding.cancel()
        owned = {(tp.topic, tp.partition) for tp in assigned}
        self._feeding = asyncio.create_task(self._feed(owned))

    async def _feed(self, owned: set[tuple[str, int]]) -> None:
        try:
            await self._sink.assigned(owned)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._sink.wait_for_failure())
                while True:
                    await self._sink.add(await self._queue.get())
        except asyncio.CancelledError:
            raise
        except Exception as error:
            cause = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
            stop_loudly("the store", cause)
