"""A transaction waits for its coordinator when the broker that was asked for it is lost."""

from __future__ import annotations

import pytest
from aiokafka.client import CoordinationType
from aiokafka.errors import (
    CoordinatorLoadInProgressError,
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    NotCoordinatorError,
)

from pipeline.kafka.client.transactions_v2 import TransactionSender


class Client:
    """aiokafka's client, which finds the coordinator after these failures."""

    def __init__(self, *failures):
        self._failures = list(failures)

    async def coordinator_lookup(self, kind, key):
        if self._failures:
            raise self._failures.pop(0)
        return 2

    async def force_metadata_update(self):
        return True

    async def ready(self, node, *, group):
        return True


def sender_with(*failures):
    sender = object.__new__(TransactionSender)
    sender.client = Client(*failures)
    sender._txn_manager = object()
    sender._coordinators = {}
    sender._retry_backoff = 0.0
    return sender


@pytest.mark.parametrize(
    "failure",
    [
        KafkaConnectionError("the connection is closed"),
        CoordinatorLoadInProgressError(),
        NotCoordinatorError(),
    ],
    ids=lambda failure: type(failure).__name__,
)
async def test_it_asks_again_when_the_next_attempt_may_succeed(failure):
    sender = sender_with(failure, failure)
    assert await sender._find_coordinator(CoordinationType.GROUP, "group") == 2


@pytest.mark.parametrize(
    "failure",
    [GroupAuthorizationFailedError("group"), KafkaError("another")],
    ids=lambda failure: type(failure).__name__,
)
async def test_it_raises_what_stays(failure):
    with pytest.raises(KafkaError):
        await sender_with(failure)._find_coordinator(CoordinationType.GROUP, "group")
