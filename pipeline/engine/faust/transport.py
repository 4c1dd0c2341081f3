"""A Faust transport driver whose consumer gives whole batches and commits nothing by itself.

It is registered in Faust's entry-point group `faust.transports` as `txn`:
`broker="txn://host:port"`. Stock Faust gives an agent one record at a time, and commits the records
that the agent has processed. Here the value of an event is a `Batch`. Only the engine commits
offsets: in a transaction with state and outputs, or by `commit_offsets` if nothing was written.

Written against faust-streaming 0.15.3 and aiokafka 0.14.0, which are pinned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import aiokafka
from aiokafka.errors import ConsumerStoppedError, KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from pipeline.engine.faust.consumer_thread import ConsumerThread
from pipeline.kafka.client.end_offsets import Ends
from pipeline.process.stop import stop_loudly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from aiokafka.structs import OffsetAndMetadata, TopicPartition

    from pipeline.engine.batch import Batch

POLL_SECONDS: Final = 0.5
FETCH_GAP_SECONDS: Final = 0.02
CROWDED_SECONDS: Final = 0.2  # while a partition that has no room may get some
NO_ROOM_SECONDS: Final = 0.02


class Consumer(driver.Consumer):
    """Gives each poll of a partition to its agent as one event."""

    _thread: ConsumerThread
    _ends: Ends | None = None

    #: The shortest time between two fetches; the agent may set it.
    fetch_gap_seconds: float = FETCH_GAP_SECONDS

    #: Whether end offsets count what open transactions have written; the agent sets it.
    waits_for_open: bool = False

    #: Whether more of a partition may be fetched; the agent sets it. It bounds the memory.
    has_room: Callable[[TP], bool] = staticmethod(lambda _tp: True)

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def _drain_messages(self, fetcher: Any) -> None:
        while not (self.should_stop or fetcher.should_stop):
            if not self.flow_active:
                await self.wait(self.can_resume_flow)
                continue
            active = self._get_active_partitions()
            partitions = {tp for tp in active if self.has_room(tp)}
            if not partitions:
                await self.sleep(NO_ROOM_SECONDS)
                continue
            wait_seconds = POLL_SECONDS if len(partitions) == len(active) else CROWDED_SECONDS
            try:
                batches = await self._thread.poll(partitions, wait_seconds)
            except ConsumerStoppedError as error:
                if self.transport.app.should_stop:
                    return
                stop_loudly("the consumer", error)
            except KafkaError as error:
                stop_loudly("the consumer", error)
            # Read after the fetch; read before it, the number of a new assignment would be missed.
            generation = self.app.consumer_generation_id
            for batch in batches:
                if not self.flow_active or generation != self.app.consumer_generation_id:
                    break
                await self.callback(_message_from_batch(batch, generation))

    async def commit(self, *_args: Any, **_kwargs: Any) -> bool:
        """Do nothing: the engine commits offsets in its transactions."""
        return True

    async def force_commit(self, *_args: Any, **_kwargs: Any) -> bool:
        """Do nothing, like `commit`."""
        return True

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Do nothing: Faust's livelock detector checks acks and commits, which are not used."""

    async def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The last stable offset, or the last one, of each partition, from its leader, now."""
        if self._ends is None:
            self._ends = Ends(self._new_asker)
        return await self._ends.read(partitions)

    def _new_asker(self) -> aiokafka.AIOKafkaConsumer:
        conf, transport = self.app.conf, self.transport
        return aiokafka.AIOKafkaConsumer(
            client_id=f"{conf.broker_client_id}-ends",
            bootstrap_servers=driver.server_list(transport.url, transport.default_port),
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            isolation_level="read_uncommitted" if self.waits_for_open else "read_committed",
            enable_auto_commit=False,
            **driver.credentials_to_aiokafka_auth(conf.broker_credentials, conf.ssl_context),
        )

    async def on_stop(self) -> None:
        """Stop, and close our own connections."""
        await super().on_stop()
        if self._ends is not None:
            await self._ends.close()

    async def commit_offsets(self, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        """Commit as a member of the group; the broker refuses it if our generation has ended."""
        await self._thread.commit_offsets(offsets)


def _message_from_batch(batch: Batch, generation: int) -> ConsumerMessage:
    return ConsumerMessage(
        topic=batch.topic,
        partition=batch.partition,
        offset=batch.end - 1,
        timestamp=0.0,
        timestamp_type=0,
        headers=[],
        key=None,
        value=batch,
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        tp=TP(batch.topic, batch.partition),
        generation_id=generation,
    )


class Transport(driver.Transport):
    """Faust's aiokafka transport with the consumer of this module."""

    Consumer = Consumer
