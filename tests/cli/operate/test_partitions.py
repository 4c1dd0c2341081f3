"""What `status` reads from the broker."""

from __future__ import annotations

import pytest

from pipeline.cli.operate.partitions import broker_state
from pipeline.kafka import admin
from tests.conftest import PARTITIONS

pytestmark = pytest.mark.broker


@pytest.mark.parametrize(
    ("newest_without_fault", "begins"),
    [(admin.KAFKA_4_2, ""), (admin.KAFKA_4_2 - 1, "the broker is Apache Kafka 4.3 or newer")],
    ids=["as-it-is", "taken-for-4.3"],
)
def test_each_partition_is_there_and_a_version_with_a_fault_is_named(
    kafka: str, monkeypatch: pytest.MonkeyPatch, newest_without_fault: int, begins: str
) -> None:
    monkeypatch.setattr(admin, "KAFKA_4_2", newest_without_fault)
    state = broker_state(kafka)
    assert [each.partition for each in state.partitions] == list(range(PARTITIONS))
    assert state.warning.startswith(begins)
    assert bool(state.warning) is bool(begins)
