"""Transactions V2 (KIP-890 part 2) for aiokafka's producer: three requests in place of five.

Produce and TxnOffsetCommit add their partitions to the transaction. The answer to EndTxn has the
producer id and the epoch of the next transaction. So each transaction has its own epoch, sequence
numbers begin at 0 in each, and a broker refuses late requests of an earlier transaction.

Errors are handled as in Kafka's own client (4.3, `TransactionManager`, `Sender`), with one
exception: if that client would abort the transaction and go on, here the error ends the owner of
the transaction. aiokafka's sender does the rest. Written against 0.14.0, which is pinned.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from aiokafka import errors
from aiokafka.client import CoordinationType
from aiokafka.errors import ConcurrentTransactions, ProducerFenced
from aiokafka.producer.sender import (
    EndTxnHandler,
    Sender,
    SendProduceReqHandler,
    TxnOffsetCommitHandler,
)
from aiokafka.producer.transaction_manager import (
    PidAndEpoch,
    TransactionManager,
    TransactionResult,
)

from pipeline.kafka.client.transaction_requests import (
    end_request,
    features_request,
    offsets_request,
    write_request,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiokafka import AIOKafkaProducer
    from aiokafka.client import AIOKafkaClient
    from aiokafka.structs import OffsetAndMetadata, TopicPartition

    from pipeline.kafka.client.messages import KafkaPythonRequest

FEATURE: Final = "transaction.version"
LEVEL: Final = 2
# A broker answers a commit before it has written the markers. Until it has, for a few milliseconds,
# it refuses the next transaction of the same id.
ASKED_AGAIN_SECONDS: Final = 0.005
NO_PRODUCER_ID: Final = -1


class _FencedByCoordinator(errors.BrokerResponseError):
    """PRODUCER_FENCED, a code that newer brokers send in place of an older code."""

    errno = 90
    message = "PRODUCER_FENCED"


class TransactionAbortable(errors.BrokerResponseError):
    """The transaction cannot go on."""

    errno = 120
    message = "TRANSACTION_ABORTABLE"


for _error in (_FencedByCoordinator, TransactionAbortable):
    errors.kafka_errors.setdefault(_error.errno, _error)

_FENCED: Final = frozenset({errors.InvalidProducerEpoch.errno, _FencedByCoordinator.errno})
# A fence or the time-out in the middle of a transaction aborts the transaction with the next epoch.
# The broker then takes our commit for a repeated commit of the aborted transaction.
_ENDED_BY_ANOTHER: Final = _FENCED | {errors.InvalidTxnState.errno}


async def are_spoken(client: AIOKafkaClient) -> bool:
    """Whether the cluster has finalised transactions V2; the client must be connected.

    Waits while no broker answers, as the later search for the coordinator does.
    """
    while True:
        node = client.get_random_node()
        try:
            if node is not None:
                levels: Mapping[str, int] = await client.send(node, features_request())
                return levels.get(FEATURE, 0) >= LEVEL
        except errors.IncompatibleBrokerVersion:
            return False
        except errors.KafkaError as error:
            if not error.retriable:
                raise
        await client.force_metadata_update()
        await asyncio.sleep(ASKED_AGAIN_SECONDS)


class Transactions(TransactionManager):
    """aiokafka's transaction manager, without requests that add partitions to a transaction."""

    def __init__(self, transactional_id: str, transaction_timeout_ms: int) -> None:
        super().__init__(transactional_id, transaction_timeout_ms)
        self.next: PidAndEpoch | None = None
        self.refused: BaseException | None = None

    def maybe_add_partition_to_txn(self, tp: TopicPartition) -> None:
        if not self.is_in_transaction():
            raise errors.IllegalOperation("not in a transaction")
        self._txn_partitions.add(tp)

    def add_offsets_to_txn(self, offsets: Any, group_id: str) -> Any:
        self.consumer_group_added(group_id)
        return super().add_offsets_to_txn(offsets, group_id)

    def complete_transaction(self) -> None:
        """Use the producer id and epoch that the broker gave for the next transaction."""
        if self.next is not None:
            self._pid_and_epoch, self.next = self.next, None
            self._sequence_numbers.clear()
        super().complete_transaction()


class _ProduceHandler(SendProduceReqHandler):
    def create_request(self) -> KafkaPythonRequest:
        topics: defaultdict[str, list[tuple[int, bytes]]] = defaultdict(list)
        for tp, batch in self._batches.items():
            topics[tp.topic].append((tp.partition, batch.get_data_buffer()))
        sender = self._sender
        return write_request(
            sender._txn_manager.transactional_id,
            acks=sender._acks,
            timeout_ms=sender._request_timeout_ms,
            batches=topics,
        )

    def _can_retry(self, error: Exception, batch: Any) -> bool:
        # The broker still writes the markers of the last transaction.
        return isinstance(error, ConcurrentTransactions) or super()._can_retry(error, batch)


class _OffsetsHandler(TxnOffsetCommitHandler):
    def create_request(self) -> KafkaPythonRequest:
        transactions = self._sender._txn_manager
        topics: defaultdict[str, list[tuple[int, OffsetAndMetadata]]] = defaultdict(list)
        for tp, held in sorted(self._offsets.items()):
            topics[tp.topic].append((tp.partition, held))
        return offsets_request(
            transactions.transactional_id,
            group=self._group_id,
            producer_id=transactions.producer_id,
            producer_epoch=transactions.producer_epoch,
            offsets=topics,
        )

    def handle_response(self, resp: Any) -> float | None:
        codes = {code for _, partitions in resp.errors for _, code in partitions}
        if codes & _FENCED:
            raise ProducerFenced
        if ConcurrentTransactions.errno in codes:
            return ASKED_AGAIN_SECONDS
        return super().handle_response(resp)  # type: ignore[no-any-return]


class _EndHandler(EndTxnHandler):
    def create_request(self) -> KafkaPythonRequest:
        transactions = self._sender._txn_manager
        return end_request(
            transactions.transactional_id,
            producer_id=transactions.producer_id,
            producer_epoch=transactions.producer_epoch,
            committed=bool(self._commit_result),
        )

    def handle_response(self, resp: Any) -> float | None:
        # Asked again, because the first answer was lost, the broker answers the same: it knows the
        # epoch before its own.
        if resp.error_code in _ENDED_BY_ANOTHER:
            raise ProducerFenced
        if resp.error_code == ConcurrentTransactions.errno:
            return ASKED_AGAIN_SECONDS
        if resp.error_code == errors.NoError.errno and resp.producer_id != NO_PRODUCER_ID:
            self._sender._txn_manager.next = PidAndEpoch(resp.producer_id, resp.producer_epoch)
        return super().handle_response(resp)  # type: ignore[no-any-return]


class TransactionSender(Sender):
    """aiokafka's sender with the requests of transactions V2."""

    async def _find_coordinator(self, kind: Any, key: str) -> int:
        """aiokafka's function; it also asks again when the broker that it asked is lost."""
        while True:
            try:
                return await super()._find_coordinator(kind, key)  # type: ignore[no-any-return]
            except errors.KafkaError as error:
                cause = error.__cause__
                if not (isinstance(cause, errors.KafkaError) and cause.retriable):
                    raise
            await self.client.force_metadata_update()
            await asyncio.sleep(self._retry_backoff)

    async def _send_produce_req(self, node_id: int, batches: dict[TopicPartition, Any]) -> None:
        await _ProduceHandler(self, batches).do(node_id)
        for batch in batches.values():
            if batch.future.done() and (error := batch.future.exception()):
                self._txn_manager.refused = error
        self._in_flight.remove(node_id)
        self._muted_partitions.difference_update(batches)

    async def _do_txn_offset_commit(self, offsets: Any, group_id: str) -> None:
        try:
            node_id = await self._find_coordinator(CoordinationType.GROUP, group_id)
        except errors.GroupAuthorizationFailedError as error:
            self._txn_manager.error_transaction(error)
            return
        await _OffsetsHandler(self, offsets, group_id).do(node_id)

    async def _do_txn_commit(self, commit_result: int) -> None:
        await self._message_accumulator.flush_for_commit()
        transactions = self._txn_manager
        # Commit only a transaction whose writes were accepted. If its owner was fenced before, the
        # broker may take the commit for a commit of the next owner's transaction.
        if transactions.refused is not None and commit_result is TransactionResult.COMMIT:
            raise transactions.refused
        if transactions.is_empty_transaction():
            transactions.complete_transaction()
            return
        node_id = await self._find_coordinator(
            CoordinationType.TRANSACTION, transactions.transactional_id
        )
        await _EndHandler(self, commit_result).do(node_id)


def put_into(producer: AIOKafkaProducer) -> None:
    """Make a producer that is not started yet use transactions V2."""
    before = producer._sender
    accumulator = before._message_accumulator
    transactions = Transactions(
        before._txn_manager.transactional_id, before._txn_manager.transaction_timeout_ms
    )
    producer._txn_manager = accumulator._txn_manager = transactions
    producer._sender = TransactionSender(
        before.client,
        acks=before._acks,
        txn_manager=transactions,
        message_accumulator=accumulator,
        retry_backoff_ms=round(before._retry_backoff * 1000),
        request_timeout_ms=before._request_timeout_ms,
    )
