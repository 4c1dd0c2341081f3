"""A broker as it was when it was new, for the next test on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kafka import KafkaAdminClient, TopicPartition

from pipeline.cli.operate.groups import delete_groups, offsets_at
from pipeline.kafka.admin import create_topics
from tests.support.looking import looks

if TYPE_CHECKING:
    from pipeline.cli.local.kafka import LocalKafka
    from pipeline.settings import Settings

PATIENCE_SECONDS = 30.0


def begin_empty(broker: LocalKafka, settings: Settings) -> None:
    """Start the broker unless it runs; it has our topics then, without records, and no group."""
    if broker.process is None or broker.process.poll() is not None:
        broker.start()
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    try:
        delete_groups(admin)
        used = topics_with_records(admin)
        if used:
            admin.delete_topics(used)
        for _ in looks(seconds=PATIENCE_SECONDS):
            if not set(used).intersection(admin.list_topics()):
                break
        else:
            raise AssertionError(f"these topics do not go away: {used}")
    finally:
        admin.close()
    create_topics(broker.bootstrap, settings)


def topics_with_records(admin: KafkaAdminClient) -> list[str]:
    """The topics that had a record at any time; Kafka's own are left out."""
    partitions = [
        TopicPartition(topic["name"], partition["partition_index"])
        for topic in admin.describe_topics()
        if not topic["is_internal"]
        for partition in topic["partitions"]
    ]
    ends = offsets_at(admin, partitions, committed=False)
    return sorted({at.topic for at, end in ends.items() if end > 0})
