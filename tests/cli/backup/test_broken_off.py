"""A restore on a real broker: what comes back, what is refused, and killed anywhere, run again."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from aiokafka import AIOKafkaConsumer
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

from pipeline.cli.backup import empty_topics, home_files, restore, session
from pipeline.cli.backup.restore import restore_backup
from pipeline.cli.backup.save import save
from pipeline.cli.local.kafka import LocalKafka
from pipeline.cli.operate.groups import offsets_at
from pipeline.cli.terminal.failure import CommandError
from pipeline.engine.state.state import Point, point_row
from pipeline.kafka import readers, topics
from pipeline.kafka.admin import TopicsError, create_topics
from pipeline.kafka.login.options import aiokafka_options
from pipeline.kafka.readers import NAMED_BY_OFFSET
from pipeline.kafka.topics import partition_of
from pipeline.settings import Settings
from pipeline.store.clickhouse.database import Database
from pipeline.store.decoding import TABLE_OF
from pipeline.store.rows import columns_of, row_from_record
from tests.store.samples import SAMPLES
from tests.support.migrated import migrated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

PARTITIONS = 2
KEY_FILE_WORDS = f"{'5a' * 32}\n"
#: Where the groups of the old installation stand, and what is unread from there on.
POSITIONS = {
    readers.CONVERSATION: {(topics.MO_RAW, 0): 3, (topics.MT_REQUEST, 0): 2},
    readers.STORE: {(topics.MO_RAW, 0): 2, (topics.MO_PART, 0): 7, (topics.MO_PART, 1): 0},
    readers.SENDER: {(topics.MT_COMMAND, 0): 1},
}
POINT = Point(sequence=5, offsets={topics.MO_RAW: 3, topics.MT_REQUEST: 2})


class Killed(BaseException):
    """The command ends here as if it had been killed."""


class Installation(NamedTuple):
    settings: Settings
    bootstrap: str


Record = tuple[int, bytes | None, bytes | None, list[tuple[str, bytes]]]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    kafka = LocalKafka(home=tmp_path_factory.mktemp("kafka"), partitions=PARTITIONS)
    try:
        kafka.start()
        yield kafka
    finally:
        kafka.kill()


@pytest.fixture(scope="module")
def admin(broker: LocalKafka) -> Iterator[KafkaAdminClient]:
    client = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    yield client
    client.close()


def installation(broker: LocalKafka, home: Path) -> Installation:
    migrated(home)
    return Installation(
        Settings(home=home, kafka=broker.bootstrap, partitions=PARTITIONS), broker.bootstrap
    )


def fill(admin: KafkaAdminClient, there: Installation) -> None:
    """Records by themselves, in transactions and aborted, after others that retention deleted."""
    create_topics(there.bootstrap, there.settings)
    plain = KafkaProducer(bootstrap_servers=there.bootstrap, acks="all")
    committed = KafkaProducer(bootstrap_servers=there.bootstrap, transactional_id="fills")
    committed.init_transactions()

    def send(producer: KafkaProducer, topic: str, partition: int, *words: str) -> None:
        for word in words:
            sent = producer.send(
                topic, key=b"44", value=word.encode(), partition=partition, headers=[("h", b"\0")]
            )
            sent.get(timeout=30)

    def in_transaction(*words: str, aborted: bool = False) -> None:
        committed.begin_transaction()
        for topic in (topics.MO_RAW, topics.MO_PART):
            send(committed, topic, 0, *words)
        committed.abort_transaction() if aborted else committed.commit_transaction()

    send(plain, topics.MO_RAW, 0, "deleted", "a", "b")
    send(plain, topics.MT_REQUEST, 0, "c", "d", "e")
    send(plain, topics.MT_COMMAND, 0, "f")
    in_transaction("g")
    in_transaction("x", "y", aborted=True)
    in_transaction("h", "i")
    in_transaction("z", aborted=True)
    send(plain, topics.MO_PART, 1, "j")
    changelog = topics.CONVERSATION_CHANGELOG
    key, value = point_row(POINT)
    plain.send(changelog, key=b"\1row", value=b"row", partition=0).get(timeout=30)
    plain.send(changelog, key=b"\1row", value=None, partition=0).get(timeout=30)
    plain.send(changelog, key=key, value=value, partition=0).get(timeout=30)
    admin.delete_records({TopicPartition(topics.MO_RAW, 0): 1})
    for group, positions in POSITIONS.items():
        words = POINT.metadata() if group == readers.CONVERSATION else ""
        where = {TopicPartition(*place): (offset, words) for place, offset in positions.items()}
        empty_topics.put_positions(admin, group, where)
    plain.close()
    committed.close()
    home = there.settings.home
    (home / "numbers.toml").write_text("numbers")
    key_file = home.with_name(f"{home.name}.suppression-key")
    key_file.write_text(KEY_FILE_WORDS)
    key_file.chmod(0o600)
    with Database(there.settings) as database:
        for record in SAMPLES:
            kind = type(record)
            rows = [
                row_from_record(record, key=b"44", partition=0, offset=n, written_ms=n)
                for n in range(4)
            ]
            table = f"twoway.{TABLE_OF[kind]}"
            database.writing.insert(table, rows, column_names=columns_of(kind))


def read(
    there: Installation, count: int = PARTITIONS
) -> dict[TopicPartition, list[tuple[int, Record]]]:
    """Every committed record of `count` partitions a topic, with its offset."""
    consumer = KafkaConsumer(
        bootstrap_servers=there.bootstrap,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    partitions = [TopicPartition(name, n) for name in topics.topics() for n in range(count)]
    consumer.assign(partitions)
    ends = consumer.end_offsets(partitions)
    found: dict[TopicPartition, list[tuple[int, Record]]] = {at: [] for at in partitions}
    while any(consumer.position(at) < ends[at] for at in partitions):
        for at, records in consumer.poll(timeout_ms=200).items():
            found[at] += [
                (each.offset, (each.timestamp, each.key, each.value, list(each.headers)))
                for each in records
            ]
    consumer.close()
    return found


def positions(admin: KafkaAdminClient, group: str) -> dict[TopicPartition, tuple[int, str]]:
    partitions = [TopicPartition(name, n) for name in topics.topics() for n in range(PARTITIONS)]
    found = admin.list_group_offsets({group: partitions})[group]
    return {at: (held.offset, held.metadata) for at, held in found.items() if held.offset >= 0}


def rows(there: Installation) -> dict[str, int]:
    with Database(there.settings) as database:
        return {
            table: database.writing.query(f"SELECT count() FROM twoway.{table} FINAL").result_rows[
                0
            ][0]
            for table in sorted(TABLE_OF.values())
        }


def configurations(admin: KafkaAdminClient) -> dict[str, Any]:
    from kafka.admin import ConfigResource, ConfigResourceType

    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in topics.topics()]
    found = admin.describe_configs(asked, config_filter="all")["topic"]
    names = ("cleanup.policy", "message.timestamp.type", "compression.type", "max.message.bytes")
    return {
        topic: {name: entries[name]["value"] for name in names} for topic, entries in found.items()
    }


def raising(call: Callable[..., Any], *, at: int = 1, before: bool = False) -> Callable[..., Any]:
    """The call, which ends the command before or after it was called for the `at`th time."""
    calls = iter(range(1, 10_000))

    def called(*given: Any, **named: Any) -> Any:
        number = next(calls)
        if before and number == at:
            raise Killed
        result = call(*given, **named)
        if number == at:
            raise Killed
        return result

    return called


#: Where the command is ended, one after another on the same installation: module, name, which call.
ENDED = [
    (empty_topics, "mark", 1, False),
    (restore, "delete_what_filled", 1, True),
    (empty_topics, "put_positions", 2, False),
    (restore, "insert_table", 9, False),
    (empty_topics, "unmark", 1, True),
]


def quietly(words: str) -> None:
    """Say nothing."""


def test_killed_anywhere_and_run_again_gives_the_same_installation(
    broker: LocalKafka,
    admin: KafkaAdminClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old = installation(broker, tmp_path / "old")
    fill(admin, old)
    before = read(old)
    ends = offsets_at(admin, list(before))
    stood = {group: positions(admin, group) for group in session.GROUPS}
    configured = configurations(admin)
    key = tmp_path / "keys" / "copy"
    backup = tmp_path / "backup"

    manifest = save(old.settings, backup, key=key, say=quietly)

    assert (backup / "files" / "numbers.toml").read_text() == "numbers"
    assert not list(backup.rglob("*key*"))
    assert key.read_text() == KEY_FILE_WORDS
    new = installation(broker, tmp_path / "new")
    with pytest.raises(CommandError, match="needs an empty installation, and there are records in"):
        restore_backup(new.settings, backup, key=key, say=quietly)
    assert read(old) == before
    empty_topics.make_empty(admin, new.settings)

    with pytest.raises(CommandError, match="the suppression key is missing"):
        restore_backup(new.settings, backup, key=None, say=quietly)
    for module, name, at, is_before in ENDED:
        with monkeypatch.context() as patched:
            patched.setattr(module, name, raising(getattr(module, name), at=at, before=is_before))
            with pytest.raises(Killed):
                restore_backup(new.settings, backup, key=key, say=quietly)
        with pytest.raises(TopicsError, match="run `twoway restore` again"):
            create_topics(new.bootstrap, new.settings)
    restore_backup(new.settings, backup, key=key, say=quietly)

    after = read(new)
    assert {at: [it for _, it in found] for at, found in after.items()} == {
        at: [it for _, it in found] for at, found in before.items()
    }
    for at, found in before.items():
        if at.topic in NAMED_BY_OFFSET:
            assert after[at] == found
        if at.topic not in readers.CHANGELOGS:
            assert offsets_at(admin, [at])[at] == ends[at]
            assert all(now >= then for (now, _), (then, _) in zip(after[at], found, strict=True))
    for group, then in stood.items():
        now = positions(admin, group)
        assert now.keys() == then.keys()
        for at, (offset, words) in then.items():
            assert now[at][1] == words
            assert [it for o, it in after[at] if o >= now[at][0]] == [
                it for o, it in before[at] if o >= offset
            ]
    assert configurations(admin) == configured
    assert rows(new) == {table: saved.rows for table, saved in sorted(manifest.tables.items())}
    assert (new.settings.home / "numbers.toml").read_text() == "numbers"
    assert home_files.fingerprint_of_key(new.settings) == manifest.key
    create_topics(new.bootstrap, new.settings)
    with pytest.raises(CommandError, match="needs an empty installation"):
        restore_backup(new.settings, backup, key=key, say=quietly)


def test_twice_the_partitions_have_the_same_records_in_the_order_of_their_keys(
    broker: LocalKafka, admin: KafkaAdminClient, tmp_path: Path
) -> None:
    old = installation(broker, tmp_path / "old")
    empty_topics.make_empty(admin, old.settings)
    create_topics(old.bootstrap, old.settings)
    producer = KafkaProducer(bootstrap_servers=old.bootstrap, acks="all")
    keys = [f"4479110000{number:02d}".encode() for number in range(20)]
    for number in range(3):
        for key in keys:
            for topic in (topics.MO_RAW, topics.MO_PART):
                partition = partition_of(key, PARTITIONS)
                producer.send(topic, key=key, value=b"%d" % number, partition=partition)
    producer.flush()
    producer.close()
    before = read(old)
    ends = offsets_at(admin, list(before))
    read_all = {at: (end, "") for at, end in ends.items() if end}
    empty_topics.put_positions(admin, readers.STORE, read_all)
    backup = tmp_path / "backup"
    save(old.settings, backup, key=None, say=quietly)
    empty_topics.make_empty(admin, old.settings)
    settings = replace(installation(broker, tmp_path / "new").settings, partitions=2 * PARTITIONS)

    restore_backup(settings, backup, key=None, partitions=2 * PARTITIONS, say=quietly)

    create_topics(old.bootstrap, settings)
    after = read(old, 2 * PARTITIONS)
    for topic in (topics.MO_RAW, topics.MO_PART):
        for key in keys:
            then = [it for _, it in before[TopicPartition(topic, partition_of(key, 2))]]
            home = TopicPartition(topic, partition_of(key, 4))
            now = [it for _, it in after[home] if it[1] == key]
            assert now == [it for it in then if it[1] == key]
            assert offsets_at(admin, [home])[home] == ends[TopicPartition(topic, home[1] % 2)]
    assert sum(map(len, after.values())) == sum(map(len, before.values()))
    stands = admin.list_group_offsets({readers.STORE: list(after)})[readers.STORE]
    assert {at: held.offset for at, held in stands.items() if held.offset >= 0} == {
        at: ends[TopicPartition(at.topic, at.partition % 2)]
        for at in after
        if TopicPartition(at.topic, at.partition % 2) in read_all
    }
    empty_topics.make_empty(admin, old.settings)


async def test_an_installation_that_is_used_is_not_saved(
    broker: LocalKafka,
    admin: KafkaAdminClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session, "SESSION_SECONDS", 1.0)
    there = installation(broker, tmp_path / "used")
    create_topics(there.bootstrap, there.settings)
    # a consumer of kafka-python 3.0.12 can lose its place in a group if a poll ends while it joins
    consumer = AIOKafkaConsumer(
        topics.MO_RAW, **aiokafka_options(there.bootstrap), group_id=readers.CONVERSATION
    )
    await consumer.start()
    try:
        assert consumer.assignment()
        saving = asyncio.to_thread(save, there.settings, tmp_path / "backup", key=None, say=quietly)
        with pytest.raises(CommandError, match=r"processes still read in twoway-conversation \(1"):
            await saving
    finally:
        await consumer.stop()


def test_an_open_transaction_is_not_saved(
    broker: LocalKafka, admin: KafkaAdminClient, tmp_path: Path
) -> None:
    there = installation(broker, tmp_path / "open")
    create_topics(there.bootstrap, there.settings)
    producer = KafkaProducer(bootstrap_servers=there.bootstrap, transactional_id="open")
    producer.init_transactions()
    producer.begin_transaction()
    producer.send(topics.MO_PART, value=b"1", partition=0).get(timeout=30)
    try:
        with pytest.raises(CommandError, match="a transaction is open in mo-part"):
            save(there.settings, tmp_path / "backup", key=None, say=quietly)
    finally:
        producer.abort_transaction()
        producer.close()


def test_a_folder_with_something_in_it_is_not_written_to(
    broker: LocalKafka, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("mine")

    with pytest.raises(CommandError, match="is not empty"):
        save(installation(broker, tmp_path / "home").settings, tmp_path, key=None, say=quietly)


def test_a_restore_of_another_backup_goes_not_on(
    broker: LocalKafka, admin: KafkaAdminClient, tmp_path: Path
) -> None:
    there = installation(broker, tmp_path / "another")
    create_topics(there.bootstrap, there.settings)
    save(there.settings, tmp_path / "backup", key=None, say=quietly)
    empty_topics.mark(there.bootstrap, admin, "another", there.settings)
    try:
        with pytest.raises(CommandError, match=r"a restore of another backup \(another\)"):
            restore_backup(there.settings, tmp_path / "backup", key=None, say=quietly)
    finally:
        empty_topics.unmark(admin)
