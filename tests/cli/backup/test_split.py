"""A backup with more partitions: who takes which record, and what cannot be split."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.accounts import tables as accounts
from pipeline.cli.backup.children import TABLES_OF, Family, children_of
from pipeline.cli.backup.manifest import (
    BACKUP_FORMAT,
    Manifest,
    SavedPartition,
    SavedPosition,
    records_path,
)
from pipeline.cli.backup.record_file import BackupBroken, PartitionFile, SavedRecord
from pipeline.cli.backup.split import BackupSource, split_manifest
from pipeline.cli.terminal.failure import CommandError
from pipeline.conversation import tables as conversation
from pipeline.delivery.agent import tables as delivery
from pipeline.engine.state.rows import NEVER_DUE, StateRow
from pipeline.engine.state.state import POINT_KEY, SCRUB_KEY
from pipeline.engine.state.tables import octets_from_row
from pipeline.kafka import readers, topics
from pipeline.kafka.topics import partition_of
from pipeline.sms.msisdn import key_from_handset
from pipeline.stages.account.held import line_key
from pipeline.stages.account.row import Booked, TakenCredit, encode_row
from pipeline.stages.delivering.row import handset_begins
from pipeline.stages.parts import reassemble
from pipeline.stages.sending.row import sent_key

if TYPE_CHECKING:
    from pathlib import Path

HANDSETS = [f"4479110000{number:02d}" for number in range(40)]
handsets = st.sampled_from(HANDSETS)


def row(octets: bytes) -> bytes:
    return octets_from_row(StateRow(octets, NEVER_DUE))


def record(key: bytes | None, value: bytes | None = b"v", offset: int = 0) -> SavedRecord:
    return SavedRecord(offset, 0, key, value, [])


def in_table(topic: str, table: str, key: bytes, value: bytes | None = b"") -> SavedRecord:
    number = TABLES_OF[topic].index(table) + 1
    return record(bytes([number]) + key, None if value is None else row(value))


@given(key=st.binary(min_size=1), before=st.integers(1, 12), times=st.integers(1, 6))
def test_a_key_goes_from_its_partition_to_one_of_the_children(
    key: bytes, before: int, times: int
) -> None:
    parent = partition_of(key, before)
    family = Family(parent, before, before * times)

    (child,) = children_of(topics.MO_RAW, record(key), family)

    assert child == partition_of(key, before * times)
    assert child in family.children


def test_every_new_partition_has_one_parent() -> None:
    children = [each for parent in range(3) for each in Family(parent, 3, 12).children]

    assert sorted(children) == list(range(12))


@pytest.mark.parametrize(
    ("topic", "key", "children"),
    [
        (topics.MO_RAW, None, [1]),
        (topics.NUMBERS, None, [1, 3, 5]),
        (topics.CLOCK, None, [1, 3, 5]),
        (topics.DEAD_LETTER, b"44", [1]),
        (topics.ERASURE, b"ab", [1]),
        (topics.ACCOUNT_RELEASE, None, [1]),
    ],
)
def test_what_no_key_places_goes_to_the_parent_or_to_all(
    topic: str, key: bytes | None, children: list[int]
) -> None:
    assert list(children_of(topic, record(key), Family(1, 2, 6))) == children


def test_a_key_that_was_in_a_wrong_partition_stays_there() -> None:
    wrong = next(each for each in HANDSETS if partition_of(each.encode(), 2) == 0).encode()

    assert list(children_of(topics.MO_RAW, record(wrong), Family(1, 2, 6))) == [1]


CONVERSATION = topics.CONVERSATION_CHANGELOG


def rows_of_handset(handset: str) -> dict[str, bytes]:
    key = key_from_handset(handset)
    assembled = msgspec.msgpack.encode((handset, "447700900001", 8, 7, 3))
    assert assembled.startswith(reassemble.keys_begin(handset))
    return {
        conversation.CONSENTS: key,
        conversation.OUTBOX: key,
        conversation.SENT: sent_key(handset, "c" * 32),
        conversation.ASSEMBLIES: assembled,
    }


@given(handset=handsets, is_removed=st.booleans())
def test_a_row_goes_where_its_handset_goes(handset: str, is_removed: bool) -> None:
    key = key_from_handset(handset)
    family = Family(partition_of(key, 2), 2, 8)
    value = None if is_removed else b""
    for table, row_key in rows_of_handset(handset).items():
        found = children_of(CONVERSATION, in_table(CONVERSATION, table, row_key, value), family)
        assert list(found) == [partition_of(key, 8)], table
    command = in_table(
        topics.DELIVERY_CHANGELOG, delivery.COMMAND_ROWS, handset_begins(handset) + b"c", value
    )
    assert list(children_of(topics.DELIVERY_CHANGELOG, command, family)) == [partition_of(key, 8)]


@pytest.mark.parametrize(
    ("topic", "key"),
    [
        *((topic, POINT_KEY) for topic in TABLES_OF),
        (CONVERSATION, SCRUB_KEY),
        *(
            (CONVERSATION, bytes([TABLES_OF[CONVERSATION].index(table) + 1]) + b"hash")
            for table in (
                conversation.SEEN,
                conversation.REQUESTS,
                conversation.SUPPRESSIONS,
                conversation.DIRECTORY,
            )
        ),
    ],
)
def test_points_hashes_and_the_directory_go_to_every_child(topic: str, key: bytes) -> None:
    assert list(children_of(topic, record(key), Family(0, 2, 6))) == [0, 2, 4]


ACCOUNTS = topics.ACCOUNTS_CHANGELOG


@pytest.mark.parametrize("name", ["main", "other", "third", "ä"])
def test_a_ledger_goes_where_its_account_goes(name: str) -> None:
    family = Family(partition_of(name.encode(), 2), 2, 8)
    home = [partition_of(name.encode(), 8)]
    booked = encode_row(Booked(name, "mo", 3))
    taken = encode_row(TakenCredit(name, "credit", 3))
    for table, key, value in (
        (accounts.ACCOUNT_ROWS, name.encode(), b""),
        (accounts.BOOKED_ROWS, b"charge", booked),
        (accounts.CREDIT_ROWS, b"credit", taken),
    ):
        found = children_of(ACCOUNTS, in_table(ACCOUNTS, table, key, value), family)
        assert list(found) == home, table
    removed = in_table(ACCOUNTS, accounts.BOOKED_ROWS, b"charge", None)
    assert list(children_of(ACCOUNTS, removed, family)) == list(family.children)


def test_a_table_of_a_later_release_is_refused() -> None:
    unknown = bytes([len(TABLES_OF[CONVERSATION]) + 1])

    with pytest.raises(BackupBroken, match="a table that this release does not know"):
        children_of(CONVERSATION, record(unknown + b"x"), Family(0, 1, 2))


def saved(folder: Path, given: dict[str, list[list[SavedRecord]]]) -> Manifest:
    """A backup of two partitions with these records by topic and partition, all of them read."""
    found: dict[str, list[SavedPartition]] = {}
    for topic, partitions in given.items():
        for number, records in enumerate(partitions):
            path = records_path(folder, topic, number)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                writer = PartitionFile(file)
                for each in records:
                    writer.append(each)
            found.setdefault(topic, []).append(SavedPartition(0, 20, writer.digester.seen()))
    read = {topic: [SavedPosition(20, "", 0)] * 2 for topic in given}
    return Manifest(
        format=BACKUP_FORMAT, backup_id="b", made_at="", version="1", partitions=2, topics=found,
        groups={readers.STORE: read}, tables={}, files={},
    )  # fmt: skip


def conversation_of(handset: str, offsets: range) -> list[SavedRecord]:
    key = key_from_handset(handset)
    return [record(key, str(n).encode(), n) for n in offsets]


def test_each_new_partition_has_its_keys_in_their_order(tmp_path: Path) -> None:
    halves: list[list[SavedRecord]] = [[], []]
    for number in range(10):
        for handset in HANDSETS[:8]:
            key = key_from_handset(handset)
            half = halves[partition_of(key, 2)]
            half.append(record(key, b"%d" % number, len(half)))
    manifest = saved(tmp_path, {topics.MO_RAW: halves})
    source = BackupSource(tmp_path, 2, 8)

    split = split_manifest(manifest, source)

    assert split.partitions == 8
    assert [each.end for each in split.topics[topics.MO_RAW]] == [20] * 8
    for number, partition in enumerate(split.topics[topics.MO_RAW]):
        records = list(source.records(topics.MO_RAW, number))
        assert len(records) == partition.seen.records
        assert records == [
            each for each in halves[number % 2] if partition_of(each.key or b"", 8) == number
        ]


def test_what_is_unread_is_counted_by_child(tmp_path: Path) -> None:
    records = [each for handset in HANDSETS[:6] for each in conversation_of(handset, range(1))]
    halves = [
        [each._replace(offset=n) for n, each in enumerate(half)]
        for half in (
            [each for each in records if partition_of(each.key or b"", 2) == number]
            for number in range(2)
        )
    ]
    manifest = saved(tmp_path, {topics.MT_COMMAND: halves})
    manifest = msgspec.structs.replace(
        manifest, groups={readers.SENDER: {topics.MT_COMMAND: [SavedPosition(1, "", 9)] * 2}}
    )

    split = split_manifest(manifest, BackupSource(tmp_path, 2, 4))

    found = [held.unread for held in split.groups[readers.SENDER][topics.MT_COMMAND] if held]
    assert sum(found) == len(records) - 2
    assert found == [
        sum(each.offset >= 1 for each in BackupSource(tmp_path, 2, 4).records(topics.MT_COMMAND, n))
        for n in range(4)
    ]


HELD_LINE = line_key(HANDSETS[0], "main")
LEFT = [
    (CONVERSATION, conversation.HELD_MESSAGES, HELD_LINE, "book a credit"),
    (CONVERSATION, conversation.HELD_IDS, b"id", "book a credit"),
    (topics.DELIVERY_CHANGELOG, delivery.DELIVERY_ROWS, b"44\0crm\0d", "deliveries are open"),
    (topics.DELIVERY_CHANGELOG, delivery.PLACE_ROWS, b"crm\0first", "deliveries are open"),
    (ACCOUNTS, accounts.WAITING_ROWS, b"main\0", "charges wait to be covered"),
]


@pytest.mark.parametrize(("topic", "table", "key", "words"), LEFT)
def test_rows_that_name_partitions_or_places_must_be_gone(
    tmp_path: Path, topic: str, table: str, key: bytes, words: str
) -> None:
    there = in_table(topic, table, key)
    manifest = saved(tmp_path, {topic: [[], [there]]})
    with pytest.raises(CommandError, match=words):
        split_manifest(manifest, BackupSource(tmp_path, 2, 4))

    gone = in_table(topic, table, key, None)._replace(offset=1)
    manifest = saved(tmp_path, {topic: [[], [there, gone]]})
    assert split_manifest(manifest, BackupSource(tmp_path, 2, 4)).partitions == 4


@pytest.mark.parametrize("wanted", [1, 3, 5])
def test_only_a_multiple_is_taken(tmp_path: Path, wanted: int) -> None:
    manifest = saved(tmp_path, {topics.MO_RAW: [[], []]})

    with pytest.raises(CommandError, match="must be a multiple of the 2 partitions"):
        split_manifest(manifest, BackupSource(tmp_path, 2, wanted))


def test_unread_records_are_refused(tmp_path: Path) -> None:
    manifest = saved(tmp_path, {topics.MO_RAW: [[], []]})
    behind = {readers.CONVERSATION: {topics.MO_RAW: [SavedPosition(3, "", 4), None]}}
    manifest = msgspec.structs.replace(manifest, groups=behind)

    with pytest.raises(CommandError, match="4 records are unread in twoway-conversation"):
        split_manifest(manifest, BackupSource(tmp_path, 2, 4))


def test_the_same_number_changes_nothing(tmp_path: Path) -> None:
    manifest = saved(tmp_path, {topics.MO_RAW: [[], []]})

    assert split_manifest(manifest, BackupSource(tmp_path, 2, 2)) is manifest
