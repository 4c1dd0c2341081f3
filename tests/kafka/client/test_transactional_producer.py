"""The behaviour of aiokafka's transactional producer that our code depends on."""

from __future__ import annotations

from types import SimpleNamespace

from aiokafka.errors import ConcurrentTransactions
from aiokafka.producer.sender import AddPartitionsToTxnHandler

from pipeline.kafka.client.transactional_producer import ASKED_AGAIN_SECONDS


def test_a_transaction_that_follows_on_another_is_asked_for_again_soon():
    sender = SimpleNamespace(
        _retry_backoff=0.1, _txn_manager=SimpleNamespace(txn_partitions=set(), transactional_id="t")
    )
    handler = AddPartitionsToTxnHandler(sender, set())
    refused = SimpleNamespace(errors=[("out", [(0, ConcurrentTransactions.errno)])])
    assert handler.handle_response(refused) == ASKED_AGAIN_SECONDS
