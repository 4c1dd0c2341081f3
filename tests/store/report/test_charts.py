"""Charts: their values counted by hand from what was stored, their marks, and their addresses."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.records import DeadLetter
from pipeline.store.report.charts.catalogue import CHARTS
from pipeline.store.report.charts.drawing import BOTTOM, HEIGHT, TOP, plot_of
from pipeline.store.report.charts.steps import MOST, STRETCHES, stretch_for
from pipeline.store.report.charts.words import words_of_hours
from pipeline.store.report.lists.filters import BadFilter
from tests.store.report.scene import (
    ALICE,
    BOB,
    CARLA,
    NOON,
    SHORT_CODE,
    change,
    changed,
    command,
    message,
    state,
    store_scene,
)
from tests.store.report.serving_report import Running

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from pipeline.records import Record
    from pipeline.store.clickhouse.database import Database

DAY = 24 * 60
OTHER = "447800100001"


def records() -> list[Record]:
    """Two days of messages to two numbers, stops, confirmations, states and dead letters."""
    due = NOON + timedelta(hours=6)
    return [
        message("1", ALICE, "hello", 0),
        message("2", ALICE, "again", 1),
        message("3", BOB, "hello", 2, number=OTHER),
        message("4", CARLA, "hello", DAY),
        # Stopped at noon and confirmed 90 minutes later; stopped and confirmed after seven hours;
        # stopped, and never confirmed by us.
        change(
            ALICE, "confirmation-due", "confirmation-due", "stop-word", 0, mo_message_id="s1",
            previous_state="open", previous_gateway_state="open", confirmation_deadline=due,
        ),
        command("a", ALICE, "You will no longer …", 80, purpose="confirmation", mo_message_id="s1"),
        state("a", ALICE, "submitted", 90),
        state("a", ALICE, "delivered", 95, code="004"),
        change(
            BOB, "confirmation-due", "confirmation-due", "stop-word", 1, mo_message_id="s2",
            previous_state="open", previous_gateway_state="open", confirmation_deadline=due,
        ),
        command("b", BOB, "You will no longer …", 400, purpose="confirmation", mo_message_id="s2"),
        state("b", BOB, "submitted", 421, code="003"),
        change(
            CARLA, "confirmation-due", "confirmation-due", "stop-word", 2, mo_message_id="s3",
            previous_state="open", previous_gateway_state="open", confirmation_deadline=due,
        ),
        change(
            ALICE, "open", "open", "re-enabled", DAY, mo_message_id="s4",
            previous_state="stopped", previous_gateway_state="stopped",
        ),
        command("c", CARLA, "Wait", DAY + 5, not_after=NOON + timedelta(days=90_000)),
        state("c", CARLA, "waiting", DAY + 6, code="301", words="No credit left"),
        changed(DeadLetter, at=NOON, reason="missing-to"),
        changed(DeadLetter, dead_letter_id="8" * 32, at=NOON, reason="too-long"),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def running(database: Database) -> Iterator[Running]:
    store_scene(database, records())
    opened = Running(database)
    yield opened
    opened.stop()


@pytest.fixture
def client(running: Running) -> httpx.Client:
    return running.client


def table(client: httpx.Client, name: str, **given: str) -> dict[str, list[str]]:
    """The rows of a chart's table that have a value, by their first column."""
    answer = client.get(f"/chart/{name}.csv", params=given)
    assert answer.status_code == 200, answer.text
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    return {row[0]: row[1:] for row in rows if any(cell not in ("", "0") for cell in row[1:])}


BOTH = {"from": "2026-03-04", "to": "2026-03-05"}


@pytest.mark.parametrize(
    ("name", "given", "rows"),
    [
        pytest.param(
            "volume", BOTH,
            {"hour (UTC)": [SHORT_CODE, OTHER],
             "2026-03-04 12:00": ["2", "1"], "2026-03-05 12:00": ["1", "0"]},
            id="by hour and number",
        ),
        pytest.param(
            "volume", BOTH | {"step": "day", "number": OTHER},
            {"day (UTC)": [OTHER], "2026-03-04": ["1"]}, id="one number, by day",
        ),
        pytest.param(
            "volume", BOTH | {"step": "day", "number": "447800100000-447800100009"},
            {"day (UTC)": [OTHER], "2026-03-04": ["1"]}, id="a range of numbers",
        ),
        pytest.param(
            "in-and-out", BOTH | {"step": "day"},
            {"day (UTC)": ["in", "let pass", "refused"],
             "2026-03-04": ["3", "2", "0"], "2026-03-05": ["1", "1", "0"]},
            id="in against out",
        ),
        pytest.param(
            "stops", BOTH | {"step": "day"},
            {"day (UTC)": ["stopped", "re-enabled"], "2026-03-04": ["3", "0"],
             "2026-03-05": ["0", "1"]},
            id="handsets that stopped and came back",
        ),
        pytest.param(
            # 1.5 h and 7 h: half of them, one, within 1.5 h; nine of ten, both, within 7 h.
            "confirmations", BOTH | {"step": "day"},
            {"day (UTC)": ["half within", "nine of ten within", "longest", "stops to confirm",
                           "confirmed by us", "after six hours"],
             "2026-03-04": ["1.5", "7.0", "7.0", "3", "2", "1"]},
            id="time to confirmation",
        ),
        pytest.param(
            "delivery", BOTH,
            {"state": ["messages", "the gateway's words"],
             "delivered 004": ["1", ""], "submitted 003": ["1", ""],
             "waiting 301": ["1", "No credit left"]},
            id="by state and code",
        ),
        pytest.param(
            "dead-letters", BOTH | {"step": "day"},
            {"day (UTC)": ["missing-to", "too-long"], "2026-03-04": ["1", "1"]},
            id="dead letters by reason",
        ),
    ],
)  # fmt: skip
def test_a_chart_counts_what_was_stored(
    client: httpx.Client, name: str, given: dict[str, str], rows: dict[str, list[str]]
) -> None:
    assert table(client, name, **given) == rows


def test_what_waits_is_there_with_its_age(client: httpx.Client) -> None:
    found = table(client, "waiting")
    assert found["over 1 day"][:4] == ["0", "1", "0", "0"]
    assert found["over 1 day"][4].startswith("2026-03-05 12:05:00")
    assert set(found) == {"age", "over 1 day"}


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_is_a_drawing_with_title_and_words_and_its_table(
    client: httpx.Client, name: str
) -> None:
    page = client.get(f"/chart/{name}").text
    drawings = re.findall(r'<svg class="drawn.*?</svg>', page, re.DOTALL)
    assert len(drawings) == 1
    drawing = ElementTree.fromstring(drawings[0])  # noqa: S314  our own page
    named = drawing.attrib["aria-labelledby"].split()
    by_id = {each.attrib.get("id"): each for each in drawing}
    assert [by_id[id].tag for id in named] == ["title", "desc"]
    assert all(by_id[id].text for id in named)
    assert page.index("<svg") < page.index("<table")
    assert client.get("/charts").text.count(f'id="{name}-title"') == 1


def test_each_row_leads_to_the_list_that_shows_it(client: httpx.Client) -> None:
    for name in CHARTS:
        page = client.get(f"/chart/{name}", params={}).text
        for link in re.findall(r'<th scope="row"><a href="\.\./([^"]+)"', page):
            answer = client.get("/" + link.replace("&amp;", "&"))
            assert answer.status_code == 200, link
            assert "<tbody>" in answer.text, link


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/chart/volume?step=second", "step is none of"),
        ("/chart/volume?from=2000-01-01&step=hour", "more than 1,000 times hour"),
        ("/chart/volume?handset=447700900001", "not known here"),
        ("/chart/dead-letters?number=88801", "not known here"),
        ("/charts?from=yesterday", "from is not a time"),
    ],
)
def test_what_a_chart_cannot_obey_is_refused(client: httpx.Client, path: str, words: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 400
    assert words in answer.text


@given(
    since=st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1)),  # noqa: DTZ001  made aware below
    days=st.floats(min_value=0.001, max_value=4000),
)
def test_stretches_follow_each_other_without_gap(since: datetime, days: float) -> None:
    since = since.replace(tzinfo=UTC)
    until = since + timedelta(days=days)
    for name in ["", *STRETCHES]:
        stretch = stretch_for(since, until, name)
        try:
            found = stretch.between(since, until)
        except BadFilter:
            assert (until - since) / stretch.about > MOST
            continue
        assert found[0] <= since < stretch.next_beginning(found[0])
        assert found[-1] < until <= stretch.next_beginning(found[-1])
        for before, after in pairwise(found):
            assert stretch.next_beginning(before) == after
            assert stretch.beginning(after - timedelta(microseconds=1)) == before


@given(
    series=st.integers(1, 4).flatmap(
        lambda width: st.lists(
            st.lists(st.none() | st.integers(0, 10**9), min_size=width, max_size=width),
            min_size=1, max_size=7,
        )
    ),
    is_stacked=st.booleans(),
)  # fmt: skip
def test_every_mark_is_inside_and_as_high_as_its_value(
    series: list[list[int | None]], *, is_stacked: bool
) -> None:
    width = len(series[0])
    plot = plot_of(
        ["x"] * width, series, words_of=str, hits=["x"] * width, is_stacked=is_stacked, unit=1
    )
    bottom = HEIGHT - BOTTOM
    most = plot.ticks[-1].y
    assert most == TOP
    for bar in plot.bars:
        assert bar.x >= 0
        assert bar.x + bar.width <= 100.01
        assert TOP - 0.1 <= bar.y <= bar.y + bar.height <= bottom + 0.1
    if is_stacked:
        top = float(plot.ticks[-1].words)
        for at in range(width):
            total = sum(values[at] or 0 for values in series)
            drawn = sum(b.height for b in plot.bars if int(b.x / 100 * width) == at)
            assert drawn == pytest.approx((bottom - TOP) * total / top, abs=0.1)
    assert all(TOP <= dot.y <= bottom for dot in plot.dots)


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (0, "0"),
        (0.0125, "45 s"),
        (0.2, "12 min"),
        (5.75, "5 h 45 min"),
        (6, "6 h"),
        (1.9999, "2 h"),
    ],
)
def test_times_in_words(hours: float, words: str) -> None:
    assert words_of_hours(hours) == words
