"""What `twoway status` says of reply paths, on the real engine and as an analyst's statements."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from pipeline.cli.operate.path_states import path_states
from pipeline.directory.directory import numbers_from_toml
from pipeline.stages.delivering.path import FAILURES
from pipeline.store.decoding import TABLE_OF
from pipeline.store.rows import columns_of, row_from_record
from tests.store.query.test_delivery_now import DECIDED, SEEN
from tests.store.samples import AT, AT_MS
from tests.support.asking import questions_of
from tests.support.delivering import CRM, toml_of

if TYPE_CHECKING:
    from pipeline.records import Record
    from pipeline.store.clickhouse.database import Database

SMPP = '[reply_path.bound]\nway = "smpp"\n'


@pytest.fixture
def empty(database: Database) -> Database:
    for name in ("mo_delivery", "mo_delivery_result", "numbers"):
        database.writing.command(f"TRUNCATE TABLE twoway.{name}_rows")
    return database


def store(database: Database, records: list[Record], *, later_ms: int = 0) -> None:
    for offset, record in enumerate(records):
        kind = type(record)
        row = row_from_record(
            record, key=None, partition=0, offset=offset, written_ms=AT_MS + later_ms + offset
        )
        database.writing.insert(TABLE_OF[kind], [row], column_names=columns_of(kind))


def entered(number: int, state: str, *, path: str = "crm", minutes: int = 0) -> Any:
    return msgspec.structs.replace(
        DECIDED, delivery_id=f"d{number}", path=path, state=state, attempt=1, due_at=None,
        at=AT + timedelta(minutes=minutes),
    )  # fmt: skip


def attempt(outcome: str, *, path: str = "crm", number: int = 0) -> Any:
    return msgspec.structs.replace(SEEN, delivery_id=f"d{number}", path=path, outcome=outcome)


def states(database: Database) -> dict[str, dict[str, Any]]:
    questions = questions_of(database)

    def ask(sql: str) -> list[dict[str, Any]]:
        octets = asyncio.run(questions.json_lines(sql))
        return [json.loads(line) for line in octets.splitlines()]

    return {row["path"]: row for row in path_states(ask)}


def test_nothing_is_said_where_there_is_no_path(empty: Database) -> None:
    assert states(empty) == {}


def test_each_path_says_what_waits_for_it(empty: Database) -> None:
    store(empty, [numbers_from_toml(toml_of(CRM + SMPP), origin="test", loaded_at=AT)])
    store(
        empty,
        [
            entered(1, "ordered"),
            entered(1, "waiting", minutes=5),
            entered(2, "waiting", minutes=7),
            entered(3, "ordered"),
            entered(4, "ordered"),
            entered(5, "waiting", path="gone", minutes=9),
        ],
    )
    store(empty, [attempt("delivered", number=4)], later_ms=1_000)
    found = states(empty)
    assert {name: (row["waiting"], row["under_way"]) for name, row in found.items()} == {
        "bound": (0, 0),
        "crm": (2, 1),
        "gone": (1, 0),
    }
    assert found["crm"]["oldest"] == f"{AT:%Y-%m-%dT%H:%M:%SZ}"
    assert [found[name]["way"] for name in ("bound", "crm", "gone")] == [
        "smpp",
        "http-post",
        "not in numbers.toml",
    ]


@pytest.mark.parametrize(
    ("outcomes", "circuit"),
    [
        (["failed"] * (FAILURES - 1), "closed"),
        (["failed"] * FAILURES, "open in 1 partitions"),
        ([*["failed"] * FAILURES, "delivered"], "closed"),
        (["delivered", *["failed"] * FAILURES], "open in 1 partitions"),
        (["failed"] * 15 + ["delivered"] + ["failed"] * 15, "closed"),
        (["delivered", "waiting"], "nobody bound in 1 partitions"),
        (["waiting", "delivered"], "closed"),
    ],
)
def test_a_circuit_is_open_after_failures_in_a_row(
    empty: Database, outcomes: list[str], circuit: str
) -> None:
    store(empty, [numbers_from_toml(toml_of(CRM), origin="test", loaded_at=AT)])
    store(empty, [attempt(outcome) for outcome in outcomes])
    assert states(empty)["crm"]["circuit"] == circuit
