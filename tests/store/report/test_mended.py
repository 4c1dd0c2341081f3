"""What the report once said wrongly, and must never say again."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pipeline.records import ConsentChange, Erasure, KeptStop
from pipeline.suppression_key import SuppressionKey
from tests.store.report.scene import (
    ALICE,
    BOB,
    NOON,
    REFUSED_TEXT,
    SHORT_CODE,
    change,
    changed,
    scene,
    store_scene,
)
from tests.store.report.serving_report import Running

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from pipeline.store.clickhouse.database import Database

KEY = SuppressionKey(bytes(range(32)))
FORGOTTEN, NEVER_SEEN = "447700900050", "447700900051"
FORGOTTEN_OPEN = "447700900052"
BY_ORDER = [f"4477009100{n:02d}" for n in range(40)]


def forgotten(handset: str, stops: list[KeptStop], **fields: object) -> Erasure:
    return changed(
        Erasure, erasure_id=handset.ljust(32, "e"), suppression=KEY.of(handset).hex(),
        at=NOON + timedelta(minutes=20), actor="anna", reason="asked by letter", stops=stops,
        **fields,
    )  # fmt: skip


STOP_KEPT = KeptStop(
    scope_kind="number", scope=SHORT_CODE, state="stopped", gateway_state="stopped", since=NOON
)


@pytest.fixture(scope="module")
def running(database: Database) -> Iterator[Running]:
    orders: list[ConsentChange] = []
    for handset in BY_ORDER:
        more = {"actor": "anna", "reason": "from a file", "change_id": handset.ljust(32, "0")}
        orders.append(change(handset, "stopped", "open", "operator", 14, **more))
    # A stop that came late and changed only the past: the handset wrote again after it.
    past = change(BOB, "stopped", "stopped", "stop-word", 1, change_id="b1".ljust(32, "0"))
    now = change(BOB, "open", "open", "re-enabled", 5, change_id="b2".ljust(32, "0"))
    erased = [forgotten(FORGOTTEN, [STOP_KEPT]), forgotten(FORGOTTEN_OPEN, [])]
    store_scene(database, [*scene(), *orders, now, past, *erased])
    opened = Running(database, read_key=lambda: KEY)
    yield opened
    opened.stop()


@pytest.fixture
def client(running: Running) -> httpx.Client:
    return running.client


def words_of(page: str) -> str:
    """What a reader sees, without markup."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def conversation(client: httpx.Client, handset: str) -> str:
    return words_of(client.get("/conversation", params={"handset": handset}).text)


def test_a_forgotten_handset_is_never_called_open(client: httpx.Client) -> None:
    words = conversation(client, FORGOTTEN)
    assert "open" not in words.lower()
    assert "Forgotten , by order of anna: asked by letter" in words
    assert "ours: stopped" in words
    assert f"number {SHORT_CODE}" in words


def test_of_a_forgotten_handset_without_stops_that_is_said(client: httpx.Client) -> None:
    words = conversation(client, FORGOTTEN_OPEN)
    assert "it had no stops" in words
    assert "open" not in words.lower()


def test_of_an_unknown_handset_nothing_is_claimed(client: httpx.Client) -> None:
    words = conversation(client, NEVER_SEEN)
    assert "No change of consent is stored of this handset." in words
    assert "open" not in words.lower()


def test_without_the_key_it_is_said_that_nothing_can_be_told(
    running: Running, database: Database
) -> None:
    keyless = Running(database)
    try:
        words = conversation(keyless.client, FORGOTTEN)
        assert "without the suppression key it cannot be told" in words
    finally:
        keyless.stop()


def test_stops_are_told_by_source_in_handsets_and_who_is_stopped_now(
    client: httpx.Client,
) -> None:
    words = words_of(client.get("/").text)
    # By message: Alice, and Bob, whom the past stopped. By order: forty and Carla.
    assert "Handsets that stopped 2 by message; 41 by order, 0 by the gateway" in words
    assert "Stopped now 42 handsets" in words
    assert "1 forgotten ones had stops that are kept" in words


def test_a_late_stop_that_changed_only_the_past_stops_nobody_now(client: httpx.Client) -> None:
    words = conversation(client, BOB)
    assert "ours: open" in words
    assert BOB not in client.get("/list/stopped").text


def test_sent_counts_what_was_sent(client: httpx.Client) -> None:
    words = words_of(client.get("/").text)
    # Three passed the gate: one was delivered, one failed, one waits.
    assert "Sent 1 the gateway has them; 3 passed the gate" in words


@pytest.mark.parametrize(
    "path",
    ["/", "/list/lines", "/list/opt-outs", "/conversation", "/csv/lines", "/message", "/review"],
)  # fmt: skip
def test_a_parameter_that_is_not_known_is_refused_in_words(client: httpx.Client, path: str) -> None:
    answer = client.get(path, params={"colour": "red"}, headers={"Accept": "text/html"})
    assert answer.status_code == 400
    assert "the parameter &#39;colour&#39; is not known here" in answer.text
    plain = client.get(path, params={"colour": "red"})
    assert (plain.status_code, plain.text[:24]) == (400, "the parameter 'colour' i")


def test_a_parameter_given_twice_is_refused(client: httpx.Client) -> None:
    answer = client.get("/list/lines?number=1&number=2")
    assert (answer.status_code, answer.text) == (400, "the parameter number is given twice\n")


def test_a_filter_of_a_list_that_does_not_have_it_is_refused(client: httpx.Client) -> None:
    assert client.get("/list/opt-outs", params={"text": "x"}).status_code == 400


def test_the_text_of_a_refused_mt_is_shown(client: httpx.Client) -> None:
    assert REFUSED_TEXT in conversation(client, ALICE)
    assert REFUSED_TEXT in client.get("/list/refusals").text
    assert REFUSED_TEXT in client.get("/csv/refusals").text


def test_every_column_of_every_view_says_what_it_means(database: Database) -> None:
    empty = database.writing.query(
        "SELECT c.table, c.name FROM system.columns AS c JOIN system.tables AS t"
        " ON t.database = c.database AND t.name = c.table"
        " WHERE c.database = 'twoway' AND t.engine = 'View' AND c.comment = ''"
    ).result_rows
    assert empty == []
