"""Requests of transactions V2 are the octets that another client writes, and reads."""

from __future__ import annotations

from io import BytesIO

import pytest
from aiokafka.errors import IncompatibleBrokerVersion
from kafka.protocol.metadata import ApiVersionsRequest, ApiVersionsResponse
from kafka.protocol.producer import (
    EndTxnRequest,
    EndTxnResponse,
    ProduceRequest,
    ProduceResponse,
    TxnOffsetCommitRequest,
    TxnOffsetCommitResponse,
)

from pipeline.kafka.client.transaction_requests import (
    ApiVersions,
    ApiVersionsAnswer,
    EndTxn,
    EndTxnAnswer,
    Produce,
    ProduceAnswer,
    TxnOffsetCommit,
    TxnOffsetCommitAnswer,
    finalized_features,
)


def test_a_write_is_what_another_client_writes():
    topic_of = ProduceRequest.TopicProduceData
    partition = topic_of.PartitionProduceData(index=3, records=b"batch")
    topic = topic_of(name="out", partition_data=[partition] * 2)
    theirs = ProduceRequest(
        version=12, transactional_id="t", acks=-1, timeout_ms=40_000, topic_data=[topic]
    )
    ours = Produce("t", -1, 40_000, [("out", [(3, b"batch")] * 2)])
    assert ours.encode() == theirs.encode()


def test_offsets_are_what_another_client_commits():
    topic_of = TxnOffsetCommitRequest.TxnOffsetCommitRequestTopic
    partition = topic_of.TxnOffsetCommitRequestPartition(
        partition_index=3, committed_offset=17, committed_metadata="7 12:00"
    )
    theirs = TxnOffsetCommitRequest(
        version=5,
        transactional_id="t",
        group_id="g",
        producer_id=4_000_000_000,
        producer_epoch=32_766,
        topics=[topic_of(name="mo-raw", partitions=[partition])],
    )
    topics = [("mo-raw", [(3, 17, -1, "7 12:00")])]
    ours = TxnOffsetCommit("t", "g", 4_000_000_000, 32_766, -1, "", None, topics)
    assert ours.encode() == theirs.encode()


@pytest.mark.parametrize("committed", [True, False])
def test_an_end_is_what_another_client_sends(committed):
    named = {"transactional_id": "t", "producer_id": 5, "producer_epoch": 6}
    theirs = EndTxnRequest(version=5, committed=committed, **named)
    assert EndTxn("t", 5, 6, committed).encode() == theirs.encode()


def test_a_question_for_versions_is_what_another_client_asks():
    theirs = ApiVersionsRequest(
        version=3, client_software_name="twoway", client_software_version="1"
    )
    assert ApiVersions("twoway", "1").encode() == theirs.encode()


def test_an_answer_to_a_write_is_read_with_its_errors_and_without_its_tags():
    topic_of = ProduceResponse.TopicProduceResponse
    partition_of = topic_of.PartitionProduceResponse
    partition = partition_of(
        index=3,
        error_code=51,
        base_offset=9,
        log_append_time_ms=-1,
        log_start_offset=2,
        record_errors=[
            partition_of.BatchIndexAndErrorMessage(batch_index=1, batch_index_error_message=None)
        ],
        error_message="why",
        current_leader=partition_of.LeaderIdAndEpoch(leader_id=1, leader_epoch=4),
    )
    theirs = ProduceResponse(
        version=12,
        responses=[topic_of(name="out", partition_responses=[partition] * 2)],
        throttle_time_ms=0,
        node_endpoints=[ProduceResponse.NodeEndpoint(node_id=1, host="other", port=9092)],
    )
    read = ProduceAnswer.decode(bytes(theirs.encode()))
    assert read.topics == [("out", [(3, 51, 9, -1, 2, [(1, None)], "why")] * 2)]


def test_an_answer_to_offsets_is_read():
    topic_of = TxnOffsetCommitResponse.TxnOffsetCommitResponseTopic
    partitions = [
        topic_of.TxnOffsetCommitResponsePartition(partition_index=index, error_code=code)
        for index, code in ((3, 0), (4, 47))
    ]
    theirs = TxnOffsetCommitResponse(
        version=5, throttle_time_ms=0, topics=[topic_of(name="mo-raw", partitions=partitions)]
    )
    read = TxnOffsetCommitAnswer.decode(bytes(theirs.encode()))
    assert read.errors == [("mo-raw", [(3, 0), (4, 47)])]


def test_an_answer_to_an_end_has_the_next_id_and_epoch():
    theirs = EndTxnResponse(
        version=5, throttle_time_ms=0, error_code=0, producer_id=4_000_000_000, producer_epoch=7
    )
    read = EndTxnAnswer.decode(bytes(theirs.encode()))
    assert (read.error_code, read.producer_id, read.producer_epoch) == (0, 4_000_000_000, 7)


@pytest.mark.parametrize(
    ("features", "told"),
    [
        ([], {}),
        ([("transaction.version", 1)], {"transaction.version": 1}),
        (
            [("metadata.version", 29), ("transaction.version", 2)],
            {"metadata.version": 29, "transaction.version": 2},
        ),
    ],
)
def test_features_of_the_cluster_are_read(features, told):
    finalized = [
        ApiVersionsResponse.FinalizedFeatureKey(name=n, max_version_level=v, min_version_level=1)
        for n, v in features
    ]
    supported = ApiVersionsResponse.SupportedFeatureKey(name="other", min_version=1, max_version=2)
    theirs = ApiVersionsResponse(
        version=3,
        error_code=0,
        api_keys=[ApiVersionsResponse.ApiVersion(api_key=0, min_version=3, max_version=13)],
        throttle_time_ms=0,
        supported_features=[supported],
        finalized_features_epoch=12,
        finalized_features=finalized,
    )
    assert finalized_features(ApiVersionsAnswer.decode(bytes(theirs.encode()))) == told


def test_the_header_of_an_answer_for_versions_has_no_tags():
    header = BytesIO(b"\0\0\0\7" + b"rest")
    assert ApiVersions("twoway", "1").parse_response_header(header).correlation_id == 7
    assert header.read() == b"rest"


@pytest.mark.parametrize("versions", [{}, {0: (3, 11)}, {0: (13, 14)}])
def test_a_version_that_the_broker_does_not_have_is_not_sent(versions):
    request = Produce("t", -1, 40_000, [])
    with pytest.raises(IncompatibleBrokerVersion):
        request.prepare(versions)
    assert request.prepare({0: (3, 12)}) is request
