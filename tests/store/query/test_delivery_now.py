"""How each delivery stands now, by what was decided and what was seen, on the real engine."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from pipeline.cli.delivery.listing import DELIVERIES_ASKED, DeliveryRow, line_of_delivery
from pipeline.records import MoDelivery, MoDeliveryResult, Record
from pipeline.store.decoding import TABLE_OF
from pipeline.store.rows import columns_of, row_from_record
from tests.store.samples import AT, AT_MS, SAMPLES

if TYPE_CHECKING:
    from pipeline.store.clickhouse.database import Database

DECIDED = next(sample for sample in SAMPLES if isinstance(sample, MoDelivery))
SEEN = next(sample for sample in SAMPLES if isinstance(sample, MoDeliveryResult))


@pytest.fixture
def empty(database: Database) -> Database:
    for name in ("mo_delivery", "mo_delivery_result"):
        database.writing.command(f"TRUNCATE TABLE twoway.{name}_rows")
    return database


def decided(state: str, attempt: int, due_minutes: int = 0) -> MoDelivery:
    due_at = AT + timedelta(minutes=due_minutes) if due_minutes else None
    return msgspec.structs.replace(DECIDED, state=state, attempt=attempt, due_at=due_at)


def seen(outcome: str, attempt: int) -> MoDeliveryResult:
    status = "200" if outcome == "delivered" else "500"
    return msgspec.structs.replace(SEEN, outcome=outcome, attempt=attempt, status=status)


FAILED_ONCE = [decided("ordered", 1), seen("failed", 1), decided("waiting", 1, 2)]
GIVEN_UP = [decided("ordered", 8), seen("failed", 8), decided("given-up", 8)]


@pytest.mark.parametrize(
    ("records", "state", "attempts", "status"),
    [
        pytest.param([decided("waiting", 0)], "waiting", 0, "", id="in line"),
        pytest.param([decided("ordered", 1)], "ordered", 1, "", id="under way"),
        pytest.param(
            [decided("ordered", 1), seen("delivered", 1)], "delivered", 1, "200", id="delivered"
        ),
        pytest.param(FAILED_ONCE, "waiting", 1, "500", id="failed once"),
        pytest.param(
            [*FAILED_ONCE, seen("delivered", 1)], "delivered", 1, "200", id="a late answer"
        ),
        pytest.param([*FAILED_ONCE, decided("ordered", 2)], "ordered", 2, "500", id="tried again"),
        pytest.param(
            [decided("ordered", 1), seen("delivered", 1), seen("failed", 1)],
            "delivered",
            1,
            "500",
            id="handed over twice",
        ),
        pytest.param(GIVEN_UP, "given-up", 8, "500", id="given up"),
        pytest.param([*GIVEN_UP, decided("ordered", 1)], "ordered", 1, "500", id="anew"),
        pytest.param(
            [*GIVEN_UP, decided("ordered", 1), seen("delivered", 1)],
            "delivered",
            1,
            "200",
            id="anew and delivered",
        ),
    ],
)
def test_it_stands_as_what_was_last_decided_and_seen(
    empty: Database, records: list[Record], state: str, attempts: int, status: str
) -> None:
    for offset, record in enumerate(records):
        kind = type(record)
        written_ms = AT_MS + offset
        row = row_from_record(record, key=None, partition=0, offset=offset, written_ms=written_ms)
        empty.writing.insert(TABLE_OF[kind], [row], column_names=columns_of(kind))
    (found,) = asked(empty)
    assert (found.state, found.attempts, found.status) == (state, attempts, status)
    assert bool(found.due) == (state == "waiting" and attempts > 0)
    assert found.delivery_id in line_of_delivery(found)
    assert len(asked(empty, all=False)) == (state != "delivered")
    assert asked(empty, path="other") == []


def asked(database: Database, **fields: Any) -> list[DeliveryRow]:
    """The rows that `twoway delivery list` is given."""
    parameters = {"all": True, "path": "", "id": "", "most": 10} | fields
    result = database.writing.query(DELIVERIES_ASKED, parameters=parameters)
    rows = [dict(zip(result.column_names, row, strict=True)) for row in result.result_rows]
    return msgspec.convert(rows, list[DeliveryRow])
