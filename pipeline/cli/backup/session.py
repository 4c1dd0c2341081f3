"""What backup and restore work on: a broker that nobody uses, ClickHouse without a store."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from aiokafka.errors import KafkaError as AiokafkaError
from kafka import TopicPartition
from kafka.admin import OffsetSpec

from pipeline.cli.ask.broker import knock, open_admin
from pipeline.cli.ask.waiting import ProgressDeadline, pause
from pipeline.cli.local.kafka import LocalKafka
from pipeline.cli.operate.groups import coordinated, offsets_at
from pipeline.cli.terminal.failure import CommandError
from pipeline.home.brokers import Brokers, login_from
from pipeline.home.holding import end_leftovers, hold
from pipeline.home.lock import FolderTaken
from pipeline.home.process import CannotStart
from pipeline.home.stack import bootstrap_of
from pipeline.kafka import readers
from pipeline.kafka.admin import RESTORE_TOPIC
from pipeline.kafka.topics import topics
from pipeline.process.peer_words import words_of_error
from pipeline.store.clickhouse.database import Database
from pipeline.store.clickhouse.migrations import MigrationRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from kafka import KafkaAdminClient

    from pipeline.settings import Settings

GROUPS: Final = tuple(readers.READ_BY)
SESSION_SECONDS: Final = 30.0  # sessions last ten, from the start of the broker


@contextmanager
def broker_of(settings: Settings, say: Callable[[str], None]) -> Iterator[Brokers]:
    """The broker of the settings; without one, that of the home, started for this command alone."""
    if settings.kafka:
        bootstrap = bootstrap_of(settings)
        knock(bootstrap)
        yield bootstrap
        return
    try:
        with hold(settings.home):
            end_leftovers(settings.home, say=say)
            kafka = LocalKafka(home=settings.home, partitions=settings.partitions, say=say)
            kafka.start()
            try:
                yield Brokers(kafka.bootstrap, login_from(settings))
            finally:
                kafka.stop()
    except CannotStart as error:
        raise CommandError(f"{error}; no other process may use the home meanwhile") from error


@contextmanager
def clickhouse_of(settings: Settings) -> Iterator[Database]:
    """ClickHouse of the settings, or of the home; its tables are made if they are not there."""
    try:
        database = Database(settings)
    except (FolderTaken, MigrationRefused) as error:
        raise CommandError(f"ClickHouse: {error}") from error
    with database:
        yield database


def all_partitions(found: dict[str, int]) -> list[TopicPartition]:
    """Every partition of topics, by how many each has."""
    return [
        TopicPartition(name, number) for name, count in found.items() for number in range(count)
    ]


def topics_of(admin: KafkaAdminClient) -> dict[str, int]:
    """Every topic that the broker shows, and how many partitions it has."""
    return {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics()}


def ours_of(found: dict[str, int]) -> dict[str, int]:
    """Those of the topics that are ours, in the order of `schemas/topics.toml`."""
    return {name: found[name] for name in topics() if name in found}


def refuse_readers(admin: KafkaAdminClient) -> None:
    """Wait until no process of ours reads; raises `CommandError` if one still does.

    A process with a name, and one that was killed, counts until its session is over.
    """
    patience = ProgressDeadline(seconds=SESSION_SECONDS)
    while busy := _readers(admin):
        if patience.is_over():
            raise CommandError(
                f"processes still read in {', '.join(busy)}: stop every process but Kafka and"
                " ClickHouse"
            )
        pause()


def _readers(admin: KafkaAdminClient) -> list[str]:
    described = coordinated(lambda: admin.describe_groups(list(GROUPS)))
    return [
        f"{name} ({len(group['members'])})"
        for name, group in described.items()
        if group.get("members")
    ]


def settled_bounds(bootstrap: str) -> dict[TopicPartition, tuple[int, int]]:
    """Start and end of every partition of ours.

    Raises `CommandError` while a transaction is open.
    """
    with open_admin(bootstrap) as admin:
        found = topics_of(admin)
        if RESTORE_TOPIC in found:
            raise CommandError("a restore has begun and not ended: run `twoway restore` again")
        partitions = all_partitions(ours_of(found))
        committed = offsets_at(admin, partitions)
        written = offsets_at(admin, partitions, committed=False)
        starts = offsets_at(admin, partitions, spec=OffsetSpec.EARLIEST)
    is_open = sorted({at.topic for at in partitions if written[at] != committed[at]})
    if is_open:
        raise CommandError(
            f"a transaction is open in {', '.join(is_open)}: a killed process left it, and Kafka"
            " ends it within a minute; try again then"
        )
    return {at: (starts[at], end) for at, end in committed.items()}


def run_with_kafka(bootstrap: str, work: Coroutine[Any, Any, Any]) -> Any:
    """The result of `work`; an error of aiokafka becomes a `CommandError`."""
    try:
        return asyncio.run(work)
    except AiokafkaError as error:
        words = words_of_error(error) or type(error).__name__
        raise CommandError(
            f"the broker at {bootstrap} does not do as it should: {words}"
        ) from error
