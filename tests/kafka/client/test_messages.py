"""Requests and answers that aiokafka lacks, as octets.

A second implementation wrote and read the octets: aiokafka's field types in the order of the
message definitions of Apache Kafka 4.3 (`common/message/*.json`), by hand. kafka-python, which the
product uses, must make the same octets from the definitions.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka.errors import IncompatibleBrokerVersion
from aiokafka.protocol.commit import OffsetCommitRequest
from aiokafka.protocol.group import HeartbeatRequest
from aiokafka.structs import OffsetAndMetadata

from pipeline.kafka.client.static_membership import commit_with_name, heartbeat_with_name
from pipeline.kafka.client.transaction_requests import (
    end_request,
    features_request,
    offsets_request,
    write_request,
)

if TYPE_CHECKING:
    from pipeline.kafka.client.messages import KafkaPythonRequest

WRITE = write_request(
    "t", acks=-1, timeout_ms=40_000, batches={"out": [(3, b"batch"), (4, b"more")]}
)
OFFSETS = offsets_request(
    "t",
    group="g",
    producer_id=4_000_000_000,
    producer_epoch=32_766,
    offsets={"mo-raw": [(3, OffsetAndMetadata(17, "7 12:00"))]},
)
END = end_request("t", producer_id=5, producer_epoch=6, committed=True)
ABORT = end_request("t", producer_id=5, producer_epoch=6, committed=False)
FEATURES = features_request()
HEARTBEAT = heartbeat_with_name(HeartbeatRequest("g", 7, "m"), "one")
COMMIT = commit_with_name(
    OffsetCommitRequest("g", 7, "m", -1, [("mo-raw", [(3, 17, "7 12:00"), (4, 18, "")])]), "one"
)


@pytest.mark.parametrize(
    ("request_", "header", "body"),
    [
        pytest.param(
            WRITE,
            "0000000c0000000500016300",
            "0274ffff00009c4002046f757403000000030662617463680000000004056d6f7265000000",
            id="Produce 12",
        ),
        pytest.param(
            OFFSETS,
            "001c00050000000500016300",
            "0274026700000000ee6b28007ffeffffffff010002076d6f2d726177020000000300000000000000"
            "11ffffffff08372031323a3030000000",
            id="TxnOffsetCommit 5",
        ),
        pytest.param(
            END, "001a00050000000500016300", "0274000000000000000500060100", id="EndTxn 5"
        ),
        pytest.param(
            ABORT, "001a00050000000500016300", "0274000000000000000500060000", id="EndTxn 5, abort"
        ),
        pytest.param(
            FEATURES, "001200030000000500016300", "0774776f776179023100", id="ApiVersions 3"
        ),
        pytest.param(
            HEARTBEAT, "000c000300000005000163", "0001670000000700016d00036f6e65", id="Heartbeat 3"
        ),
        pytest.param(
            COMMIT,
            "0008000700000005000163",
            "0001670000000700016d00036f6e650000000100066d6f2d72617700000002000000030000000000"
            "000011ffffffff0007372031323a3030000000040000000000000012ffffffff0000",
            id="OffsetCommit 7",
        ),
    ],
)
def test_a_request_is_the_octets_of_the_definition(
    request_: KafkaPythonRequest, header: str, body: str
) -> None:
    found = request_.build_request_header(correlation_id=5, client_id="c").encode()
    assert (found.hex(), request_.encode().hex()) == (header, body)


def read(request_: KafkaPythonRequest, body: str, *, header: str = "0000000500") -> Any:
    """What the connection gives the caller of an answer; its header has no tags."""
    octets = BytesIO(bytes.fromhex(header + body))
    assert request_.parse_response_header(octets).correlation_id == 5
    return request_.RESPONSE_TYPE.decode(octets)


def test_an_answer_to_a_write_is_read_with_its_errors_and_without_its_tags() -> None:
    partition = (
        "0000000300330000000000000009ffffffffffffffff0000000000000002020000000100000477687901"
        "0009000000010000000400"
    )
    tags = "0100110200000001066f74686572000023840000"
    answer = read(WRITE, f"02046f757403{partition * 2}0000000000{tags}")
    assert answer.topics == [("out", [(3, 51, 9, -1, 2, [(1, None)], "why")] * 2)]
    assert answer.API_VERSION == 12


def test_an_answer_to_offsets_is_read() -> None:
    body = "0000000002076d6f2d726177030000000300000000000004002f000000"
    assert read(OFFSETS, body).errors == [("mo-raw", [(3, 0), (4, 47)])]


def test_an_answer_to_an_end_has_the_next_id_and_epoch() -> None:
    answer = read(END, "00000000000000000000ee6b2800000700")
    assert (answer.error_code, answer.producer_id, answer.producer_epoch) == (0, 4_000_000_000, 7)


@pytest.mark.parametrize(
    ("finalized", "told"),
    [
        ("02000108000000000000000c", {}),
        (
            "0300010800000000000000"
            "0c023003116d657461646174612e76657273696f6e001d0001"
            "00147472616e73616374696f6e2e76657273696f6e0002000100",
            {"metadata.version": 29, "transaction.version": 2},
        ),
    ],
)
def test_features_of_the_cluster_are_read(finalized: str, told: dict[str, int]) -> None:
    count, tags = finalized[:2], finalized[2:]
    supported = "000c02066f7468657200010002"
    body = f"00000200000003000d0000000000{count}{supported}{tags}"
    # no tags in this header: a client can read it whatever the broker is (KIP-511)
    assert read(FEATURES, body, header="00000005") == told


def test_an_answer_without_features_is_read() -> None:
    refused = "002300000001001200000003"  # UNSUPPORTED_VERSION, in version 0 (KIP-511)
    assert read(FEATURES, refused, header="00000005") == {}


def test_the_answers_to_a_member_with_a_name_are_read() -> None:
    assert read(HEARTBEAT, "000000000052", header="00000005").error_code == 82
    body = "000000000000000100066d6f2d72617700000002000000030000000000040052"
    assert read(COMMIT, body, header="00000005").topics == [("mo-raw", [(3, 0), (4, 82)])]


@pytest.mark.parametrize("versions", [{}, {0: (3, 11)}, {0: (13, 14)}])
def test_a_version_that_the_broker_does_not_have_is_not_sent(
    versions: dict[int, tuple[int, int]],
) -> None:
    with pytest.raises(IncompatibleBrokerVersion, match="ProduceRequest version 12"):
        WRITE.prepare(versions)
    assert WRITE.prepare({0: (3, 12)}) is WRITE


def test_what_is_logged_of_a_request_shows_no_record() -> None:
    assert "batch" not in f"{WRITE} {WRITE!r}"
