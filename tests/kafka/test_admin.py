"""The broker's topics are those of `schemas/topics.toml`."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import IncompatibleBrokerVersion

from pipeline.kafka.admin import (
    KAFKA_4_2,
    TopicsError,
    create_topics,
    topic_config,
    words_of_kafka_4_3,
)
from pipeline.kafka.topics import topics

if TYPE_CHECKING:
    from pipeline.settings import Settings

pytestmark = pytest.mark.broker


@pytest.fixture
def admin(kafka: str) -> Any:
    client = KafkaAdminClient(bootstrap_servers=kafka)
    yield client
    client.close()


def wait_for_entry(admin: Any, name: str, entry: str, text: str) -> None:
    """The controller acknowledges a change before every broker has it."""
    deadline = time.monotonic() + 30
    while entries_of(admin, name)[entry] != text:
        assert time.monotonic() < deadline, f"{name}: {entry} never became {text}"


def entries_of(admin: Any, name: str) -> dict[str, str]:
    resource = ConfigResource(ConfigResourceType.TOPIC, name)
    described = admin.describe_configs([resource], config_filter="all")["topic"][name]
    return {entry: value["value"] for entry, value in described.items()}


@pytest.mark.parametrize("name", sorted(topics()))
def test_the_broker_has_the_topic_as_the_file_says(
    admin: Any, kafka_settings: Settings, name: str
) -> None:
    (described,) = admin.describe_topics([name])
    assert len(described["partitions"]) == kafka_settings.partitions
    assert all(partition["leader_id"] > 0 for partition in described["partitions"])
    wanted = topic_config(topics()[name], kafka_settings)
    assert wanted.items() <= entries_of(admin, name).items()


def test_the_broker_has_no_topic_that_the_file_lacks(admin: Any) -> None:
    ours = [name for name in admin.list_topics() if name in topics()]
    assert sorted(ours) == sorted(topics())


def test_a_broker_of_a_version_with_a_fault_is_logged_and_used(
    kafka: str,
    kafka_settings: Settings,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pipeline.kafka.admin.KAFKA_4_2", KAFKA_4_2 - 1)
    create_topics(kafka, kafka_settings)
    (warning,) = [each for each in caplog.records if each.name == "pipeline.kafka.admin"]
    assert "KAFKA-20734" in warning.message


def test_creating_again_changes_nothing_and_says_nothing(
    kafka: str, kafka_settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="pipeline.kafka.admin")
    create_topics(kafka, kafka_settings)
    assert [
        record.message for record in caplog.records if record.name == "pipeline.kafka.admin"
    ] == []


def test_a_setting_that_differs_is_set_right_and_said(
    kafka: str, admin: Any, kafka_settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    changed = ConfigResource(ConfigResourceType.TOPIC, "dead-letter", {"retention.ms": "1000000"})
    admin.alter_configs([changed])
    wait_for_entry(admin, "dead-letter", "retention.ms", "1000000")
    create_topics(kafka, kafka_settings)
    assert "topic dead-letter: retention.ms was 1000000, set to 2592000000" in caplog.text
    wait_for_entry(admin, "dead-letter", "retention.ms", "2592000000")


def test_no_copy_that_lacks_records_may_lead(
    kafka: str, admin: Any, kafka_settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    entry = "unclean.leader.election.enable"
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, "mo-raw", {entry: "true"})])
    wait_for_entry(admin, "mo-raw", entry, "true")
    create_topics(kafka, kafka_settings)
    assert f"topic mo-raw: {entry} was true, set to false" in caplog.text
    wait_for_entry(admin, "mo-raw", entry, "false")


class Features:
    """The part of `KafkaAdminClient` that says what a broker supports."""

    def __init__(self, features: dict[str, Any] | None) -> None:
        self._features = features

    def describe_features(self) -> dict[str, Any]:
        if self._features is None:
            raise IncompatibleBrokerVersion
        return self._features


@pytest.mark.parametrize(
    ("features", "warns"),
    [
        (None, False),
        ({}, False),
        ({"metadata.version": {"supported": (7, KAFKA_4_2)}}, False),
        ({"metadata.version": {"supported": (7, KAFKA_4_2 + 1)}}, True),
        ({"metadata.version": {"supported": (7, 40), "finalized": (7, 29)}}, True),
    ],
    ids=["before-2.4", "no-features", "4.2", "4.3", "newer-not-yet-finalised"],
)
def test_a_broker_that_may_leave_out_ends_of_transactions_is_warned_of(
    features: dict[str, Any] | None, warns: bool
) -> None:
    assert ("KAFKA-20734" in words_of_kafka_4_3(Features(features))) is warns


def test_the_suites_broker_supports_what_4_2_does(admin: Any) -> None:
    assert admin.describe_features()["metadata.version"]["supported"][1] == KAFKA_4_2


def test_another_partition_count_is_refused_with_its_reason(
    kafka: str, kafka_settings: Settings
) -> None:
    with pytest.raises(TopicsError, match=r"'partitions' is 5, but .*mo-raw has 4"):
        create_topics(kafka, replace(kafka_settings, partitions=5))
