"""Every record, topic and table has a rule that says whose its rows are; erasures rest on it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
import pytest

from deploy import clickhouse
from pipeline import records
from pipeline.avro.single_object import snake_from_camel
from pipeline.conversation.tables import TABLES
from pipeline.kafka.readers import CHANGELOGS
from pipeline.kafka.topics import topics
from pipeline.records import Record
from pipeline.store.clickhouse import migrations
from pipeline.store.decoding import TABLE_OF
from pipeline.whose.rules import COPIES, NOBODYS, OF_RECORD, OF_TABLE, OTHER_TABLES, How, Naming

if TYPE_CHECKING:
    from collections.abc import Iterable

from pathlib import Path

KINDS = tuple(Record.__subclasses__())
#: Fields that name a handset wherever they stand.
NAMES = {"handset": (How.DIGITS, How.ADDRESS), "to": (How.ADDRESS,)}


def faults(kinds: Iterable[type[Record]]) -> list[str]:
    """Records with a handset that no erasure would find."""
    found = []
    for kind in kinds:
        if (kind in OF_RECORD) == (kind in NOBODYS):
            found.append(f"{kind.__name__} is in none, or in both")
        for field, ways in NAMES.items():
            namings = {Naming(how, field) for how in ways}
            if field in kind.__struct_fields__ and not namings & set(OF_RECORD.get(kind, ())):
                found.append(f"{kind.__name__}.{field} names a handset, and no rule says so")
    return found


def created(statements: str) -> set[str]:
    """The tables that SQL creates."""
    return set(re.findall(r"CREATE TABLE (?:IF NOT EXISTS )?twoway\.(\w+)", statements))


def table_faults(tables: Iterable[str]) -> list[str]:
    """ClickHouse tables without a rule that says whose their rows are."""
    stored = {TABLE_OF[kind] for kind in TABLE_OF if kind in OF_RECORD or kind in NOBODYS}
    return sorted(set(tables) - stored - set(OTHER_TABLES) - set(COPIES))


def test_every_record_is_a_handsets_or_nobodys() -> None:
    assert len(KINDS) > 14
    assert faults(KINDS) == []


def test_a_new_record_without_a_rule_is_found() -> None:
    new = msgspec.defstruct("New", [("handset", str)], frozen=True, kw_only=True)
    assert faults([new]) == [
        "New is in none, or in both",
        "New.handset names a handset, and no rule says so",
    ]


@pytest.mark.parametrize("kind", OF_RECORD, ids=lambda kind: kind.__name__)
def test_the_fields_that_rules_name_are_there(kind: type[Record]) -> None:
    types = {field.name: field.type for field in msgspec.structs.fields(kind)}
    for naming in OF_RECORD[kind]:
        listed, _, field = naming.field.partition(".")
        match naming.how:
            case How.KEY:
                assert "handset" not in types, "ClickHouse has the key in this column"
            case How.WITHIN_EACH:
                assert types[listed] == list[records.Header]
                assert field in records.Header.__struct_fields__
            case How.ADDRESS:
                assert types[naming.field] is str
            case _:
                assert types[naming.field] in (str, bytes, bytes | None)


def test_every_topic_is_of_records_with_a_rule_or_a_changelog_of_tables_with_rules() -> None:
    known = {snake_from_camel(kind.__name__) for kind in (*OF_RECORD, *NOBODYS)}
    unknown = {topic.name for topic in topics().values() if topic.record not in known}
    assert unknown == set(CHANGELOGS)
    assert set(TABLES) == set(OF_TABLE)


def test_a_topic_keyed_by_the_handset_is_of_records_of_handsets() -> None:
    of_handsets = {snake_from_camel(kind.__name__) for kind in OF_RECORD}
    keyed = {topic.record for topic in topics().values() if topic.key == "handset"}
    assert keyed <= of_handsets


def test_every_table_of_clickhouse_is_of_records_with_a_rule() -> None:
    folder = Path(clickhouse.__file__).parent
    statements = [file.read_text() for file in folder.glob("*.sql")]
    tables = created("\n".join([*statements, Path(migrations.__file__).read_text()]))
    assert tables == set(TABLE_OF.values()) | set(OTHER_TABLES) | set(COPIES)
    assert table_faults(tables) == []


def test_every_copy_of_a_record_of_a_handset_is_known() -> None:
    folder = Path(clickhouse.__file__).parent
    statements = "\n".join(file.read_text() for file in folder.glob("*.sql"))
    copied = re.findall(
        r"CREATE MATERIALIZED VIEW IF NOT EXISTS twoway\.\w+\s+TO twoway\.(\w+) AS.+?"
        r"FROM twoway\.(\w+)(?:\s+WHERE [^;]+)?;",
        statements,
        re.DOTALL,
    )
    assert len(copied) == statements.count("MATERIALIZED VIEW")
    assert set(copied) == {(table, TABLE_OF[kind]) for table in COPIES for kind in COPIES[table]}


def test_a_new_table_is_found() -> None:
    assert table_faults(created("CREATE TABLE IF NOT EXISTS twoway.new_rows (a String)")) == [
        "new_rows"
    ]
