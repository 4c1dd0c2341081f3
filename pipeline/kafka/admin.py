"""Creates the topics of `schemas/topics.toml` on a broker, and corrects those that exist."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from pipeline.kafka.login.options import kafka_python_options
from pipeline.kafka.topics import Topic, topics

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.settings import Settings

log: Final = logging.getLogger(__name__)
WAIT_MS: Final = 30_000
#: There while `twoway restore` goes on; its record is the id of the backup.
RESTORE_TOPIC: Final = "twoway-restore"


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
            found = _existing(admin, [*wanted, RESTORE_TOPIC])
            if RESTORE_TOPIC in found:
                raise TopicsError("a restore has begun and not ended: run `twoway restore` again")
            _complain(found, settings)
            _create(admin, [wanted[name] for name in wanted if name not in found], settings)
            _set_right(admin, [wanted[name] for name in found], settings)
            admin.wait_for_topics(list(wanted), timeout_ms=WAIT_MS)
        finally:
            admin.close()
    except KafkaError as error:
        raise TopicsError(f"cannot create the topics on {bootstrap}: {error}") from error


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
    if not existing:
        return
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic.name) for topic in existing]
    described = admin.describe_configs(resources, config_filter="all")["topic"]
    changes = []
    for topic in existing:
        entries = {name: entry["value"] for name, entry in described[topic.name].items()}
        wanted = topic_config(topic, settings)
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
