"""An answer to OffsetFetch with an error is never taken for a group that has committed nothing.

The answers are those of Apache Kafka: `OffsetFetchResponse.groupError` names no partition from
version 2 on, and the errors of partitions before.
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    NotCoordinatorForGroupError,
)
from aiokafka.protocol.commit import OffsetFetchRequest
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from pipeline.kafka import committed

TP = TopicPartition("mo-raw", 3)
COMMITTED = SimpleNamespace(topics=[("mo-raw", [(3, 17, "words", 0)])], error_code=0)
MAY_PASS = (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    NotCoordinatorForGroupError,
)


def refusal(error):
    return SimpleNamespace(topics=[], error_code=error.errno)


def refusal_of_partition(error):
    return SimpleNamespace(topics=[("mo-raw", [(3, -1, "", error.errno)])], error_code=0)


class Brokers:
    """An admin client whose coordinator gives these answers, one after the other."""

    def __init__(self, *answers):
        self._answers = list(answers)
        self._client = self
        self.refreshed = 0

    async def find_coordinator(self, group):
        return 2

    async def force_metadata_update(self):
        self.refreshed += 1

    async def _send_request(self, request, node):
        return await self.send(node, request)

    async def send(self, node, request, **_):
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(committed, "GROUP_ASKED_AGAIN_SECONDS", 0)


@pytest.mark.parametrize(
    "first",
    [
        *(pytest.param(refusal(error), id=error.__name__) for error in MAY_PASS),
        pytest.param(refusal_of_partition(NotCoordinatorForGroupError), id="of-a-partition"),
        pytest.param(KafkaConnectionError("gone"), id="connection-lost"),
    ],
)
async def test_a_broker_that_cannot_say_is_asked_again(first):
    brokers = Brokers(first, COMMITTED)
    assert await committed.committed_offsets(brokers, "group", [TP]) == {
        TP: OffsetAndMetadata(17, "words")
    }
    assert brokers.refreshed == 1


async def test_what_stays_refused_is_raised():
    brokers = Brokers(refusal(GroupAuthorizationFailedError))
    with pytest.raises(GroupAuthorizationFailedError):
        await committed.committed_offsets(brokers, "group", [TP])


async def test_after_a_while_the_error_is_raised(monkeypatch):
    monkeypatch.setattr(committed, "PATIENCE_SECONDS", -1)
    with pytest.raises(NotCoordinatorForGroupError):
        await committed.committed_offsets(
            Brokers(refusal(NotCoordinatorForGroupError)), "group", [TP]
        )


class Coordinator(GroupCoordinator):
    """aiokafka's coordinator of a consumer, with the brokers above."""

    def __init__(self, *answers):
        self.coordinator_id = 2
        self.group_id = "group"
        self._client = Brokers(*answers)
        self.is_dead = False

    def coordinator_dead(self):
        self.is_dead = True

    def __del__(self):
        """There is nothing to close."""


@pytest.mark.parametrize("error", MAY_PASS, ids=lambda error: error.__name__)
async def test_a_consumer_does_not_begin_anew_because_its_group_is_not_loaded(error, monkeypatch):
    monkeypatch.setattr(GroupCoordinator, "_send_req", GroupCoordinator._send_req)
    committed.read_errors_of_groups()
    coordinator = Coordinator(refusal(error), COMMITTED)
    with pytest.raises(error) as raised:
        await coordinator._do_fetch_commit_offsets([TP])
    assert raised.value.retriable
    assert coordinator.is_dead == (error is not CoordinatorLoadInProgressError)
    assert await coordinator._do_fetch_commit_offsets([TP]) == {TP: OffsetAndMetadata(17, "words")}


async def test_other_answers_are_as_they_came(monkeypatch):
    monkeypatch.setattr(GroupCoordinator, "_send_req", GroupCoordinator._send_req)
    committed.read_errors_of_groups()
    answer = refusal(NotCoordinatorForGroupError)
    assert await Coordinator(answer)._send_req(object()) is answer
    assert await Coordinator(COMMITTED)._send_req(OffsetFetchRequest("group", [])) is COMMITTED
