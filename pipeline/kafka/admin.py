"""Creates the topics of `schemas/topics.toml` on a broker, and corrects those that exist."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Final

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import (
    IncompatibleBrokerVersion,
    KafkaError,
    TopicAlreadyExistsError,
    for_code,
)

from pipeline.kafka.login.options import kafka_python_options
from pipeline.kafka.topics import Topic, topics

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.settings import Settings

log: Final = logging.getLogger(__name__)
WAIT_MS: Final = 30_000
#: There while `twoway restore` goes on; its record is the id of the backup.
RESTORE_TOPIC: Final = "twoway-restore"
#: A copy that lacks acknowledged records must not lead. That is Kafka's default, which the brokers
#: of others may have changed. It is set only where it differs: some refuse any request to set it.
ONLY_WHOLE_COPIES_LEAD: Final = {"unclean.leader.election.enable": "false"}
ASKED_TIMES: Final = 40
TOPIC_ASKED_AGAIN_SECONDS: Final = 0.25
#: The newest metadata.version that Apache Kafka 4.2 supports; 4.3 supports 30.
KAFKA_4_2: Final = 29


class TopicsError(RuntimeError):
    """The broker's topics differ from `schemas/topics.toml`, and this cannot be corrected."""


def topic_config(topic: Topic, settings: Settings) -> dict[str, str]:
    """Every configuration entry that we set on `topic`."""
    return topic.config | {"min.insync.replicas": str(settings.min_insync_replicas)}


def create_topics(bootstrap: str, settings: Settings) -> None:
    """Create the topics of `schemas/topics.toml` on the broker; a repeated call changes nothing.

    Returns when every partition has a leader. A configuration entry that differs is corrected and
    logged. Another number of partitions raises `TopicsError`, because keys would move to other
    partitions; so does a restore that has not ended.
    """
    wanted = topics()
    try:
        admin = KafkaAdminClient(**kafka_python_options(bootstrap), client_id="twoway-admin")
        try:
            if words := words_of_kafka_4_3(admin):
                log.warning("%s", words)
            found = _existing(admin, [*wanted, RESTORE_TOPIC])
            if RESTORE_TOPIC in found:
                raise TopicsError("a restore has begun and not ended: run `twoway restore` again")
            _complain(found, settings)
            _create(admin, [wanted[name] for name in wanted if name not in found], settings)
            admin.wait_for_topics(list(wanted), timeout_ms=WAIT_MS)
            _set_right(admin, list(wanted.values()), settings)
        finally:
            admin.close()
    except KafkaError as error:
        raise TopicsError(f"cannot create the topics on {bootstrap}: {error}") from error


def words_of_kafka_4_3(admin: Any) -> str:
    """A warning if the broker can leave out the end of a transaction (decision 0172), or empty."""
    try:
        features = admin.describe_features()
    except IncompatibleBrokerVersion:  # older than 2.4
        return ""
    _, newest = features.get("metadata.version", {}).get("supported", (0, 0))
    if newest <= KAFKA_4_2:
        return ""
    return (
        "the broker is Apache Kafka 4.3 or newer: without the mend of KAFKA-20734, messages can"
        " be lost or come twice after all copies of a partition were away: see docs/brokers.md"
    )


def _existing(admin: Any, names: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """The partitions of those topics of `names` that the broker has."""
    wanted = set(names)
    described = admin.describe_topics()  # all topics: a question for an absent one is an error
    return {topic["name"]: topic["partitions"] for topic in described if topic["name"] in wanted}


def _complain(found: dict[str, list[dict[str, Any]]], settings: Settings) -> None:
    """Raise `TopicsError` for a wrong number of partitions; log a wrong number of copies."""
    wrong = [
        f"{name} has {len(partitions)}"
        for name, partitions in sorted(found.items())
        if len(partitions) != settings.partitions
    ]
    if wrong:
        raise TopicsError(
            f"the partition count is fixed for the life of an installation; the setting"
            f" 'partitions' is {settings.partitions}, but {', '.join(wrong)}"
        )
    for name, partitions in sorted(found.items()):
        copies = {len(partition["replica_nodes"]) for partition in partitions}
        if copies != {settings.replication_factor}:
            log.warning(
                "topic %s has %s copies, the setting is %d: reassign it with Kafka's tool",
                name,
                "/".join(map(str, sorted(copies))),
                settings.replication_factor,
            )


def _create(admin: Any, missing: list[Topic], settings: Settings) -> None:
    if not missing:
        return
    answer = admin.create_topics(
        {
            topic.name: {
                "num_partitions": settings.partitions,
                "replication_factor": settings.replication_factor,
                "configs": topic_config(topic, settings),
            }
            for topic in missing
        },
        raise_errors=False,
    )
    for topic in answer["topics"]:
        error = for_code(topic["error_code"])
        if error is TopicAlreadyExistsError:  # another process created it, with the same settings
            continue
        if topic["error_code"]:
            raise TopicsError(f"cannot create {topic['name']}: {topic['error_message']}")
        log.info("created topic %s with %d partitions", topic["name"], settings.partitions)


def _set_right(admin: Any, existing: list[Topic], settings: Settings) -> None:
    """Correct the configuration entries that differ from ours."""
    described = _described(admin, existing)
    changes = []
    for topic in existing:
        entries = {name: entry["value"] for name, entry in described[topic.name].items()}
        wanted = topic_config(topic, settings) | ONLY_WHOLE_COPIES_LEAD
        differing = {name: text for name, text in wanted.items() if entries.get(name) != text}
        for name, text in differing.items():
            log.warning("topic %s: %s was %s, set to %s", topic.name, name, entries.get(name), text)
        if differing:
            changes.append(ConfigResource(ConfigResourceType.TOPIC, topic.name, differing))
    if not changes:
        return
    for name, outcome in admin.alter_configs(changes)["topic"].items():
        if outcome != "OK":
            raise TopicsError(f"cannot configure {name}: {outcome}")


def _described(admin: Any, existing: list[Topic]) -> dict[str, dict[str, dict[str, Any]]]:
    """Every configuration entry of each topic. A broker learns of a new topic a little later."""
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic.name) for topic in existing]
    for _ in range(ASKED_TIMES):
        described = admin.describe_configs(resources, config_filter="all").get("topic", {})
        if all(described.get(topic.name) for topic in existing):
            return described  # type: ignore[no-any-return] # untyped in kafka-python
        time.sleep(TOPIC_ASKED_AGAIN_SECONDS)
    raise TopicsError("the broker does not say how the topics are configured")
