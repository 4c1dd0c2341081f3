"""Kafka's requests of transactions V2 (KIP-890), which aiokafka 0.14.0 does not have."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from kafka.protocol.metadata import ApiVersionsRequest, ApiVersionsResponse
from kafka.protocol.producer import (
    EndTxnRequest,
    EndTxnResponse,
    ProduceRequest,
    ProduceResponse,
    TxnOffsetCommitRequest,
    TxnOffsetCommitResponse,
)

from pipeline.kafka.client.messages import KafkaPythonRequest, errors_by_topic

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aiokafka.structs import OffsetAndMetadata

PRODUCE_VERSION: Final = 12
TXN_OFFSET_COMMIT_VERSION: Final = 5
END_TXN_VERSION: Final = 5
API_VERSIONS_VERSION: Final = 3


class WriteRequest(KafkaPythonRequest):
    @property
    def required_acks(self) -> int:
        """As aiokafka's sender asks its own request."""
        return self.message.acks  # type: ignore[no-any-return]


def write_request(
    transactional_id: str,
    *,
    acks: int,
    timeout_ms: int,
    batches: Mapping[str, Iterable[tuple[int, bytes]]],
) -> WriteRequest:
    """Write batches by topic and partition; adds the partitions to the transaction."""
    of_topic = ProduceRequest.TopicProduceData
    of_partition = of_topic.PartitionProduceData
    message = ProduceRequest(
        version=PRODUCE_VERSION,
        transactional_id=transactional_id,
        acks=acks,
        timeout_ms=timeout_ms,
        topic_data=[
            of_topic(
                name=topic,
                partition_data=[
                    of_partition(index=partition, records=records)
                    for partition, records in partitions
                ],
            )
            for topic, partitions in batches.items()
        ],
    )
    return WriteRequest(message, answer=ProduceResponse, shape=_written)


def _written(answer: Any) -> Any:
    """As aiokafka's sender reads the answer to a write."""
    topics = [
        (
            topic.name,
            [
                (
                    it.index,
                    it.error_code,
                    it.base_offset,
                    it.log_append_time_ms,
                    it.log_start_offset,
                    [
                        (record.batch_index, record.batch_index_error_message)
                        for record in it.record_errors
                    ],
                    it.error_message,
                )
                for it in topic.partition_responses
            ],
        )
        for topic in answer.responses
    ]
    return SimpleNamespace(API_VERSION=PRODUCE_VERSION, topics=topics)


def offsets_request(
    transactional_id: str,
    *,
    group: str,
    producer_id: int,
    producer_epoch: int,
    offsets: Mapping[str, Iterable[tuple[int, OffsetAndMetadata]]],
) -> KafkaPythonRequest:
    """Commit offsets by topic and partition; adds the group to the transaction."""
    of_topic = TxnOffsetCommitRequest.TxnOffsetCommitRequestTopic
    of_partition = of_topic.TxnOffsetCommitRequestPartition
    message = TxnOffsetCommitRequest(
        version=TXN_OFFSET_COMMIT_VERSION,
        transactional_id=transactional_id,
        group_id=group,
        producer_id=producer_id,
        producer_epoch=producer_epoch,
        topics=[
            of_topic(
                name=topic,
                partitions=[
                    of_partition(
                        partition_index=partition,
                        committed_offset=held.offset,
                        committed_metadata=held.metadata,
                    )
                    for partition, held in partitions
                ],
            )
            for topic, partitions in offsets.items()
        ],
    )
    return KafkaPythonRequest(message, answer=TxnOffsetCommitResponse, shape=_committed)


def _committed(answer: Any) -> Any:
    return SimpleNamespace(errors=errors_by_topic(answer))


def end_request(
    transactional_id: str, *, producer_id: int, producer_epoch: int, committed: bool
) -> KafkaPythonRequest:
    """End the transaction; the answer has the id and epoch of the next one."""
    message = EndTxnRequest(
        version=END_TXN_VERSION,
        transactional_id=transactional_id,
        producer_id=producer_id,
        producer_epoch=producer_epoch,
        committed=committed,
    )
    return KafkaPythonRequest(message, answer=EndTxnResponse)


def features_request() -> KafkaPythonRequest:
    """Ask for the levels that the whole cluster has settled on; answered as a dict by feature."""
    message = ApiVersionsRequest(
        version=API_VERSIONS_VERSION, client_software_name="twoway", client_software_version="1"
    )
    return KafkaPythonRequest(message, answer=ApiVersionsResponse, shape=_finalized)


def _finalized(answer: Any) -> dict[str, int]:
    return {feature.name: feature.max_version_level for feature in answer.finalized_features or ()}
