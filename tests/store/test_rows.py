"""Every record comes back from the real engine unchanged; columns, schema and tables agree."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.avro.single_object import SCHEMAS, snake_from_camel
from pipeline.kafka import topics
from pipeline.records import MoRaw, MtRequest, Record
from pipeline.store.clickhouse.writer import ClickHouseWriter
from pipeline.store.decoding import KIND_OF, TABLE_OF, TableRows
from pipeline.store.rows import STORED, columns_of, milliseconds_from_time, row_from_record
from tests.store.samples import AT, AT_MS, SAMPLES, mo_message, mt_request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.store.clickhouse.database import Database

NAMES = [snake_from_camel(kind.__name__) for kind in STORED]


@pytest.fixture(scope="module")
def writer(database: Database) -> Iterator[ClickHouseWriter]:
    opened = ClickHouseWriter(database.writing)
    yield opened
    opened.close()


def clickhouse_type(avro: Any) -> str:
    """The type in which an Avro type is stored, without LowCardinality."""
    match avro:
        case ["null", other]:
            return f"Nullable({clickhouse_type(other)})"
        case {"logicalType": "timestamp-micros"}:
            return "DateTime64(3, 'UTC')"
        case {"type": "array", "items": items}:
            return f"Array({clickhouse_type(items)})"
        case {"type": "record", "fields": fields}:
            members = (f"{field['name']} {clickhouse_type(field['type'])}" for field in fields)
            return f"Tuple({', '.join(members)})"
    return {
        "string": "String",
        "bytes": "String",
        "int": "Int32",
        "long": "Int64",
        "boolean": "Bool",
    }[avro]


def described(database: Database, table: str) -> dict[str, str]:
    rows = database.writing.query(f"DESCRIBE TABLE twoway.{table}").result_rows
    plain = {}
    for name, kind, *_ in rows:
        words = " ".join(str(kind).split()).replace("( ", "(").replace(" )", ")")
        while "LowCardinality(" in words:
            before, after = words.split("LowCardinality(", 1)
            depth, end = 1, 0
            while depth:
                depth += {"(": 1, ")": -1}.get(after[end], 0)
                end += 1
            words = before + after[: end - 1] + after[end:]
        plain[name] = words
    return plain


def test_every_topic_but_ticks_and_asks_is_stored() -> None:
    with_record = {topic.name for topic in topics.topics().values() if topic.record}
    assert set(KIND_OF) == with_record - {topics.CLOCK, topics.MT_ASK}


@pytest.mark.parametrize("kind", STORED, ids=NAMES)
def test_the_table_has_the_columns_of_the_row_with_the_types_of_the_schema(
    database: Database, kind: type[Record]
) -> None:
    name = snake_from_camel(kind.__name__)
    newest = max((SCHEMAS / name).glob("*.avsc"), key=lambda path: int(path.stem))
    expected = {
        f["name"]: clickhouse_type(f["type"]) for f in json.loads(newest.read_text())["fields"]
    }
    if kind in (MoRaw, MtRequest):
        expected["handset"] = "String"
    expected["written_at"] = "DateTime64(3, 'UTC')"
    expected |= {"kafka_partition": "Int32", "kafka_offset": "Int64"}
    assert described(database, f"{name}_rows") == expected
    assert tuple(expected) == columns_of(kind)
    assert described(database, name) == expected  # the view


def plain(value: Any) -> Any:
    """What the driver should return for a field: times in milliseconds, structs as dicts."""
    match value:
        case datetime():
            return value.replace(microsecond=value.microsecond // 1000 * 1000)
        case msgspec.Struct():
            return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
        case list():
            return [plain(each) for each in value]
    return value


def as_bytes(value: Any) -> Any:
    match value:
        case str():
            return value.encode()
        case dict():
            return {name: as_bytes(each) for name, each in value.items()}
        case list():
            return [as_bytes(each) for each in value]
    return value


@pytest.mark.parametrize("record", SAMPLES, ids=NAMES)
async def test_a_record_comes_back_as_it_went_in(
    database: Database, writer: ClickHouseWriter, record: Record
) -> None:
    kind = type(record)
    row = row_from_record(record, key=b"447700900001", partition=3, offset=2**40, written_ms=AT_MS)
    await writer.insert(TableRows(TABLE_OF[kind], columns_of(kind), [row]), tag="once")
    answer = database.writing.query(
        f"SELECT * FROM twoway.{snake_from_camel(kind.__name__)}",
        query_formats={"*String": "bytes"},
        column_formats={},
        tz_mode="aware",
    )
    (found,) = answer.named_results()
    expected = plain(record) | {"kafka_partition": 3, "kafka_offset": 2**40}
    expected["written_at"] = plain(AT)
    if kind in (MoRaw, MtRequest):
        expected["handset"] = "447700900001"
    assert as_bytes(found) == as_bytes(expected)


@pytest.mark.parametrize("record", [mt_request()], ids=["mt_request"])
async def test_what_is_absent_is_null(
    database: Database, writer: ClickHouseWriter, record: Record
) -> None:
    row = row_from_record(record, key=None, partition=0, offset=7, written_ms=AT_MS)
    await writer.insert(TableRows("mt_request_rows", columns_of(MtRequest), [row]), tag="absent")
    found = database.writing.query(
        "SELECT sender_id, keyword, api_id, not_after, handset FROM twoway.mt_request "
        "WHERE kafka_offset = 7"
    ).result_rows
    assert found == [(None, None, None, None, "")]


@pytest.mark.parametrize(
    ("time", "milliseconds"),
    [
        (datetime(1970, 1, 1, 0, 0, 0, 1_999, tzinfo=UTC), 1),
        (datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), -1),
        (datetime(1, 1, 1, tzinfo=UTC), -2_208_988_800_000),
        (datetime(9999, 12, 31, tzinfo=UTC), 10_413_791_999_999),
    ],
    ids=["cut", "before-1970", "first-that-fits", "last-that-fits"],
)
def test_a_time_is_whole_milliseconds_that_the_column_can_hold(
    time: datetime, milliseconds: int
) -> None:
    assert milliseconds_from_time(time) == milliseconds


@given(st.datetimes(), st.timedeltas(min_value=timedelta(0), max_value=timedelta(seconds=1)))
def test_cutting_a_time_keeps_the_order(time: datetime, later: timedelta) -> None:
    first = time.replace(tzinfo=UTC)
    if first < datetime.max.replace(tzinfo=UTC) - later:
        assert milliseconds_from_time(first) <= milliseconds_from_time(first + later)


async def test_a_block_of_messages_from_every_month_of_130_years_is_written(
    database: Database, writer: ClickHouseWriter
) -> None:
    messages = [
        mo_message(
            message_id=f"{month:032x}", number="1", gateway_time=AT - timedelta(days=30.5 * month)
        )
        for month in range(1_500)
    ]
    rows = [
        row_from_record(m, key=b"1", partition=0, offset=i, written_ms=AT_MS)
        for i, m in enumerate(messages)
    ]
    await writer.insert(
        TableRows("mo_message_rows", columns_of(type(messages[0])), rows), tag="old"
    )
    assert database.writing.query(
        "SELECT count() FROM twoway.mo_message WHERE number = '1'"
    ).result_rows == [(1_500,)]
