"""The topics that a restore fills: made without retention and compaction, set right at its end.

While it goes on, a topic of its own says so. `create_topics` refuses to work then, so that nothing
starts on half an installation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kafka import TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import NoError
from kafka.structs import OffsetAndMetadata

from pipeline.cli.ask.broker import open_consumer, open_producer
from pipeline.cli.ask.reading import records_between
from pipeline.cli.ask.waiting import wait_for
from pipeline.cli.backup.session import GROUPS, all_partitions, ours_of, topics_of
from pipeline.cli.operate.groups import coordinated, delete_groups, offsets_at
from pipeline.cli.terminal.failure import CommandError
from pipeline.kafka.admin import RESTORE_TOPIC, topic_config
from pipeline.kafka.topics import topics

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kafka import KafkaAdminClient

    from pipeline.settings import Settings

#: Records keep their times, none is deleted or compacted, and what only fills takes no room.
_FILLING: Final = {
    "cleanup.policy": "delete",
    "message.timestamp.type": "CreateTime",
    "retention.ms": "-1",
    "compression.type": "producer",
}
_SECONDS: Final = 60.0
_ACKNOWLEDGE_SECONDS: Final = 30


def refuse_unless_empty(admin: KafkaAdminClient) -> None:
    """Raise `CommandError` if a topic of ours has records, or a group of ours has read."""
    partitions = all_partitions(ours_of(topics_of(admin)))
    ends = offsets_at(admin, partitions, committed=False)
    if used := sorted({at.topic for at in partitions if ends[at]}):
        raise CommandError(
            f"a restore needs an empty installation, and there are records in {', '.join(used)}"
        )


def marked_by(bootstrap: str, admin: KafkaAdminClient) -> str | None:
    """Of which backup a restore has begun: its id, empty if it did not come to say; or None."""
    if RESTORE_TOPIC not in topics_of(admin):
        return None
    at = TopicPartition(RESTORE_TOPIC, 0)
    with open_consumer(bootstrap) as consumer:
        ends = offsets_at(admin, [at])
        for record in records_between(consumer, starts={at: 0}, ends=ends):
            return bytes(record.value).decode()
    return ""


def mark(bootstrap: str, admin: KafkaAdminClient, backup_id: str, settings: Settings) -> None:
    """Say that a restore has begun; it may have been said before."""
    if RESTORE_TOPIC not in topics_of(admin):
        _create(admin, {RESTORE_TOPIC: {}}, partitions=1, settings=settings)
    with open_producer(bootstrap) as producer:
        sent = producer.send(RESTORE_TOPIC, value=backup_id.encode(), partition=0)
        sent.get(timeout=_ACKNOWLEDGE_SECONDS)


def unmark(admin: KafkaAdminClient) -> None:
    """Say that the restore is done."""
    _delete(admin, [RESTORE_TOPIC])


def make_empty(admin: KafkaAdminClient, settings: Settings) -> None:
    """Delete every topic and group of ours, and make the topics anew, to be filled."""
    _delete(admin, list(ours_of(topics_of(admin))))
    delete_groups(admin, among=GROUPS)
    configs = {name: topic_config(topic, settings) | _FILLING for name, topic in topics().items()}
    _create(admin, configs, partitions=settings.partitions, settings=settings)


def set_right(admin: KafkaAdminClient, settings: Settings) -> None:
    """Give the topics the configuration that they have for good."""
    resources = [
        ConfigResource(
            ConfigResourceType.TOPIC, name, dict(_FILLING) | topic_config(topic, settings)
        )
        for name, topic in topics().items()
    ]
    for name, outcome in admin.alter_configs(resources)["topic"].items():
        if outcome != "OK":
            raise CommandError(f"{name} cannot be configured: {outcome}")


def put_positions(
    admin: KafkaAdminClient, group: str, positions: Mapping[TopicPartition, tuple[int, str]]
) -> None:
    """Commit offset and metadata for a group that nobody is in."""
    wanted = {
        at: OffsetAndMetadata(offset, metadata, -1) for at, (offset, metadata) in positions.items()
    }
    if not wanted:
        return

    def commit() -> None:
        for at, error in admin.alter_group_offsets(group, wanted).items():
            if error is not NoError:
                raise error(f"the offset of {group} in {at.topic}[{at.partition}] is not taken")

    coordinated(commit)


def _create(
    admin: KafkaAdminClient,
    configs: Mapping[str, Mapping[str, str]],
    *,
    partitions: int,
    settings: Settings,
) -> None:
    wanted: dict[str, Any] = {
        name: {
            "num_partitions": partitions,
            "replication_factor": settings.replication_factor,
            "configs": dict(config),
        }
        for name, config in configs.items()
    }
    answer = admin.create_topics(wanted, raise_errors=False)
    for topic in answer["topics"]:
        if topic["error_code"]:
            raise CommandError(f"cannot create {topic['name']}: {topic['error_message']}")
    admin.wait_for_topics(list(wanted), timeout_ms=int(_SECONDS * 1000))


def _delete(admin: KafkaAdminClient, names: list[str]) -> None:
    """Delete topics, and wait until the broker no longer shows them."""
    if not names:
        return
    admin.delete_topics(names)
    wait_for(
        lambda: None if topics_of(admin).keys() & set(names) else True,
        seconds=_SECONDS,
        failure=f"Kafka does not delete {', '.join(names)}",
    )
