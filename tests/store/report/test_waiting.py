"""What waits for somebody in a store, and for how long, as metrics."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import REGISTRY

from pipeline.records import ConsentRequest
from pipeline.store.report.warn import waiting
from pipeline.store.report.warn.waiting import KINDS_OF_WAITING, show_waiting
from tests.store.report.scene import ALICE, BOB, NOON, change, changed, message, state, store_scene
from tests.support.account_records import charge_of, store_records
from tests.support.asking import questions_of

if TYPE_CHECKING:
    from pipeline.store.clickhouse.database import Database

#: Records of the scene are so many minutes after noon; now is an hour after.
NOW = NOON + timedelta(hours=1)
MINUTE = 60.0
REVIEWED = {"flags": ["review"]}


def shown() -> dict[str, tuple[float | None, float | None]]:
    """Of each kind how many wait, and for how many seconds the oldest has."""
    names = ("twoway_store_waiting", "twoway_store_oldest_waiting_seconds")
    return {
        kind.name: tuple(REGISTRY.get_sample_value(name, {"what": kind.name}) for name in names)  # type: ignore[misc]
        for kind in KINDS_OF_WAITING
    }


@pytest.fixture(scope="module")
def empty(database: Database) -> dict[str, Any]:
    questions = questions_of(database)
    asyncio.run(show_waiting(questions.rows, NOW))
    return shown()


@pytest.fixture(scope="module")
def filled(empty: object, database: Database) -> dict[str, Any]:
    store_records(database, [charge_of("m1", NOW - timedelta(minutes=7))], tag="held")
    store_scene(
        database,
        [
            message("1", ALICE, "please stop", 10, **REVIEWED),
            message("1", ALICE, "please stop", 10, **REVIEWED),  # the same row, not merged yet
            message("2", ALICE, "no stop", 5, **REVIEWED),  # somebody decided it
            changed(ConsentRequest, mo_message_id="2" * 32, action="dismiss"),
            message("3", BOB, "is this the stop?", 40, **REVIEWED),
            message("4", BOB, "hello", 1),
            state("5", ALICE, "unknown", 20),
            state("6", ALICE, "unknown", 15),
            state("6", ALICE, "delivered", 30),  # it is known since
            change(ALICE, "confirmation-due", "confirmation-due", "stop-word", 30),
            change(BOB, "confirmation-due", "confirmation-due", "stop-word", 25),
            change(BOB, "stopped", "stopped", "confirmed", 26),
        ],
    )
    asyncio.run(show_waiting(questions_of(database).rows, NOW))
    return shown()


def test_where_nothing_waits_the_gauges_are_there_and_say_so(empty: dict[str, Any]) -> None:
    assert empty == {kind.name: (0.0, 0.0) for kind in KINDS_OF_WAITING}


@pytest.mark.parametrize(
    ("name", "count", "minutes"),
    [
        pytest.param(waiting.REVIEW, 2, 50, id="messages that nobody has reviewed"),
        pytest.param(waiting.UNKNOWN_RESULT, 1, 40, id="commands of which nobody knows"),
        pytest.param(waiting.CONFIRMATION, 1, 30, id="stops without a confirmation"),
        pytest.param(waiting.HELD, 1, 7, id="messages that wait for credits"),
    ],
)
def test_a_kind_counts_what_waits_and_says_how_long_the_oldest_has(
    filled: dict[str, Any], name: str, count: int, minutes: float
) -> None:
    assert filled[name] == (count, minutes * MINUTE)


def test_every_kind_has_a_case() -> None:
    cases = {waiting.REVIEW, waiting.UNKNOWN_RESULT, waiting.CONFIRMATION, waiting.HELD}
    assert {kind.name for kind in KINDS_OF_WAITING} == cases


def test_a_time_ahead_of_ours_is_no_negative_age() -> None:
    async def ask(_sql: str, _given: object) -> list[dict[str, Any]]:
        return [{"found": 1, "oldest": datetime(2026, 3, 4, 12, 0, 1, tzinfo=UTC)}]

    asyncio.run(show_waiting(ask, NOON))
    assert all(age == 0.0 for _, age in shown().values())
