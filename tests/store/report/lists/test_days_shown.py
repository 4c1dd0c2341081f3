"""The overview begins where few lines are: it counts all lines of the days that it shows."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.store.decoding import TABLE_OF
from pipeline.store.report.lists.filters import DAYS, filters_from_query
from pipeline.store.report.lists.reading import ListReader
from pipeline.store.rows import columns_of, row_from_record
from tests.store.report.scene import message
from tests.store.samples import AT_MS
from tests.support.asking import questions_of

if TYPE_CHECKING:
    from pipeline.store.clickhouse.database import Database

A_DAY = 24 * 60
#: Messages of the days: of the newest day, of the day before it, and so on.
LINES = (3, 1, 4, 0, 9, 2)


@pytest.fixture(scope="module")
def first_of(database: Database) -> dict[int, datetime]:
    """Store the messages; the beginning of each day that has some, by its age in days."""
    records = [
        message("7", "447700900001", f"{age} {n}", -age * A_DAY, message_id=f"{age:016x}{n:016x}")
        for age, count in enumerate(LINES)
        for n in range(count)
    ]
    kind = type(records[0])
    rows = [
        row_from_record(each, key=b"", partition=0, offset=offset, written_ms=AT_MS)
        for offset, each in enumerate(records)
    ]
    database.writing.insert(TABLE_OF[kind], rows, column_names=columns_of(kind))
    days = [
        each.gateway_time.replace(hour=0, minute=0, second=0, microsecond=0) for each in records
    ]
    assert sorted(Counter(days).values()) == sorted(count for count in LINES if count)
    return {(max(days) - day).days: day for day in days}


@pytest.mark.parametrize(
    ("most", "age"),
    [
        pytest.param(1_000, None, id="all days"),
        pytest.param(19, None, id="just all"),
        pytest.param(18, 4, id="one line too many"),
        pytest.param(17, 4, id="up to a whole day"),
        pytest.param(16, 2, id="a day with many lines, and one without"),
        pytest.param(4, 1, id="two days"),
        pytest.param(1, 0, id="the newest day has too many: it is shown"),
    ],
)
def test_the_first_day_is_the_oldest_with_which_few_lines_are_counted(
    database: Database, first_of: dict[int, datetime], most: int, age: int | None
) -> None:
    reader = ListReader(questions_of(database))
    found = asyncio.run(reader.with_few_lines(filters_from_query({}), most=most))
    of_30_days = first_of[0] - timedelta(days=DAYS - 1)
    assert found.since == (of_30_days if age is None else first_of[age])


@pytest.mark.parametrize(
    "query", [{"from": "2020-01-01"}, {"from": "2020-01-01", "to": "2030-01-01"}]
)
def test_who_asks_for_a_day_gets_all_lines_from_then_on(
    database: Database, first_of: dict[int, datetime], query: dict[str, Any]
) -> None:
    assert first_of
    asked = filters_from_query(query)
    found = asyncio.run(ListReader(questions_of(database)).with_few_lines(asked, most=1))
    assert found == asked
