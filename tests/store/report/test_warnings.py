"""Warnings: what is found of a store, what is not, and how each is shown."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from pipeline.records import MtResult
from pipeline.store.report.warn import balance, sending, silence
from pipeline.store.report.warn.warning import KindOfWarning, OperatorWarning
from pipeline.store.report.warn.watch import KINDS, Warnings
from tests.store.report.scene import (
    ALICE,
    BOB,
    change,
    changed,
    command,
    message,
    state,
    store_scene,
)
from tests.store.report.serving_report import Running
from tests.support.account_records import charge_of, store_records
from tests.support.asking import questions_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.store.clickhouse.database import Database
    from pipeline.store.query.questions import Questions

#: Records of the scene are so many minutes after noon of 2026-03-04; now is an hour after.
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
NOW = NOON + timedelta(hours=1)
DAY = 24 * 60
HOURS = timedelta(hours=4)


def speaking(number: str, days: range) -> Iterator[Any]:
    """Eight messages in the hour before NOW, on each of the days before."""
    for day in days:
        for count in range(8):
            yield message("1", ALICE, "hi", 5 * count - day * DAY, number=number,
                          message_id=f"{number}-{day}-{count}")  # fmt: skip


def result(id: str, minutes: float, **fields: Any) -> Any:
    given = {
        "result_id": id * 32, "command_id": id * 32, "handset": ALICE, "source": "answer",
        "outcome": "failed", "at": NOON + timedelta(minutes=minutes), "status": "",
    }  # fmt: skip
    return changed(MtResult, **(given | fields))


@pytest.fixture(scope="module")
def questions(database: Database) -> Questions:
    soon = NOW + timedelta(minutes=20)
    store_records(database, [charge_of("m1", NOW)], tag="a message that waits for credits")
    store_scene(
        database,
        [
            *speaking("88801", range(1, 8)),  # every day, but not today
            *speaking("88802", range(8)),  # today, too
            *speaking("88803", range(1, 3)),  # on two days: that is no habit
            result("a", 30, api_id="one", code="001", words="Authentication failed"),
            result("b", 30, api_id="two", code="001", words="Authentication failed"),
            result("c", 40, api_id="two", outcome="submitted", code=""),
            result("d", 50, api_id="three", code="301", words="No credit left"),
            result("e", -60, api_id="four", code="004", words="Account frozen"),
            # A confirmation that is not sent; one that is; one whose deadline is far.
            command("1", ALICE, "bye", 10, purpose="confirmation", not_after=soon),
            command("2", BOB, "bye", 10, purpose="confirmation", not_after=soon),
            state("2", BOB, "submitted", 11),
            command("3", BOB, "bye", 10, purpose="confirmation", not_after=soon + HOURS),
            # A stop whose deadline is in five minutes, and nobody wrote the default text.
            change(
                ALICE, "confirmation-due", "confirmation-due", "stop-word", -290,
                mo_message_id="s1", confirmation_deadline=NOW + timedelta(minutes=5),
            ),
            change(
                BOB, "confirmation-due", "confirmation-due", "stop-word", 0,
                mo_message_id="s2", confirmation_deadline=NOW + timedelta(hours=5),
            ),
            command("4", ALICE, "Hello", 20),
            state("4", ALICE, "permitted", 21),
            state("4", ALICE, "unknown", 22),
            command("5", ALICE, "Hello", 20),
            state("5", ALICE, "unknown", 21),
            state("5", ALICE, "delivered", 22, code="004"),
        ],
    )  # fmt: skip
    return questions_of(database)


def looked(kind: KindOfWarning, questions: Questions, now: datetime) -> OperatorWarning | None:
    return asyncio.run(kind.look(questions.rows, now))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "count", "words"),
    [
        (silence.SILENT_NUMBERS, 1, "88801 for "),
        (sending.GATEWAY_REFUSES, 1, "API one: 001, Authentication failed"),
        (sending.NO_CREDIT, 1, "API three"),
        (sending.CONFIRMATIONS_NEAR, 1, "1 confirmation of a stop is not sent yet"),
        (sending.CONFIRMATIONS_OVERDUE, 1, "the first deadline is 13:05 UTC"),
        (sending.UNKNOWN_RESULTS, 1, "1 message"),
    ],
)
def test_each_kind_finds_what_it_is_for_and_nothing_else(
    questions: Questions, name: str, count: int, words: str
) -> None:
    kind = next(each for each in KINDS if each.name == name)
    found = looked(kind, questions, NOW)
    assert found is not None
    assert (found.name, found.count) == (name, count)
    assert words in found.words
    if name == sending.UNKNOWN_RESULTS:
        return  # it is unknown for as long as nobody says what became of it
    assert looked(kind, questions, NOW + timedelta(days=30)) is None


@pytest.mark.parametrize(
    ("messages", "hours"),
    [
        pytest.param({0: 1} | {24 * d: 9 for d in range(1, 8)}, 0, id="it speaks"),
        pytest.param({24 * d: 9 for d in range(1, 8)}, 24, id="nothing for a day"),
        pytest.param({2: 1} | {24 * d + 1: 9 for d in range(1, 8)}, 2, id="nothing for two hours"),
        pytest.param({2: 1} | {24 * d + 1: 5 for d in range(1, 8)}, 0, id="it says little"),
        pytest.param({2: 1} | {24 * d + 5: 90 for d in range(1, 8)}, 0, id="at other hours only"),
        pytest.param({2: 1} | {24 * d + 1: 50 for d in range(1, 3)}, 0, id="on two days only"),
        pytest.param({}, 0, id="never"),
    ],
)
def test_a_number_is_silent_where_it_usually_speaks(messages: dict[int, int], hours: int) -> None:
    assert silence.silent_hours(messages) == hours


@given(st.dictionaries(st.integers(0, 191), st.integers(1, 1000)), st.integers(0, 191))
def test_a_message_ends_a_silence_and_makes_none(messages: dict[int, int], ago: int) -> None:
    before = silence.silent_hours(messages)
    assert 0 <= before <= 191
    assert silence.silent_hours(messages | {0: 1}) == 0
    if ago <= before:
        assert silence.silent_hours(messages | {ago: messages.get(ago, 1)}) <= max(before, ago)


def test_a_page_has_a_banner_whose_links_lead_to_a_list_and_a_metric_counts(
    questions: Questions, database: Database
) -> None:
    """The clock of the database is not ours, so that two warnings stand whatever the time is."""
    running = Running(database)
    try:
        banner = ""
        link = 'href="list/sent?state=unknown"'
        for _ in range(200):
            banner = running.client.get("/dictionary").text.partition('class="warnings"')[2]
            if link in banner:
                break
        assert link in banner.partition("</aside>")[0]
        assert running.client.get("/list/sent?state=unknown").text.count("<tr class=") == 1
        nowhere = running.client.get("/nowhere", headers={"Accept": "text/html"})
        assert link in nowhere.text
        assert 'href="../list/sent?state=unknown"' in running.client.get("/list/lines").text
        assert sample(sending.UNKNOWN_RESULTS) == 1
        assert sample(sending.NO_CREDIT) == 0
        assert sample(balance.LOW_BALANCE) == 1
    finally:
        running.stop()


def sample(name: str) -> float | None:
    return REGISTRY.get_sample_value("twoway_store_warning", {"warning": name})


def test_each_warning_leads_to_a_list(questions: Questions, database: Database) -> None:
    running = Running(database)
    try:
        for kind in KINDS:
            found = looked(kind, questions, NOW)
            assert found is not None
            assert running.client.get(f"/{found.link}").status_code == 200, found.link
    finally:
        running.stop()


async def test_another_kind_is_another_entry_and_a_change_is_told(questions: Questions) -> None:
    told: list[int] = []
    stands = [True]

    async def low(_ask: object, _now: datetime) -> OperatorWarning | None:
        return OperatorWarning(name="low", words="10 left", count=10, link="x") if stands else None

    warnings = Warnings(questions, kinds=[KindOfWarning("low", low)], changed=told.append)
    await warnings.look_once()
    await warnings.look_once()
    assert [each.words for each in warnings.standing] == ["10 left"]
    stands.clear()
    await warnings.look_once()
    assert warnings.standing == []
    assert told == [1, 0]
