"""Filters by state and by consent give what a second reckoning in Python gives, page by page."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from pipeline.store.decoding import TABLE_OF
from pipeline.store.report.lists import lines, listings
from pipeline.store.report.lists.cursor import Cursor, cursor_from_query
from pipeline.store.report.lists.filters import filters_from_query
from pipeline.store.report.lists.reading import ListReader
from pipeline.store.report.pages.figures import figures_of, lines_of
from pipeline.store.rows import columns_of, row_from_record
from tests.store.report.asked_once import asked_once
from tests.store.report.scene import NOON, change, command, message, state
from tests.store.samples import AT_MS
from tests.support.asking import questions_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.store.clickhouse.database import Database

COMMANDS = 700
HANDSETS = [f"4477009{n:05d}" for n in range(60)]
#: Each with its share of the last states: one is rare, one is over nearly everywhere.
STATES = {"delivered": 80, "undelivered": 15, "failed": 4, "submitted": 1}
CODES = {"delivered": "004", "undelivered": "008", "failed": "114", "submitted": "003"}
SCOPES = ("88801", "88802", "88803")
SIDES = ("open", "stopped", "confirmation-due")


class Reckoned(NamedTuple):
    """What Python makes of the records: commands with their last state, and the state of scopes."""

    commands: list[tuple[Any, str, str]]  # newest first, with state and code
    messages: list[Any]
    scopes: dict[tuple[str, str], Any]


def insert(database: Database, records: list[Any], *, offset: int = 0) -> None:
    kind = type(records[0])
    rows = [
        row_from_record(each, key=b"", partition=1, offset=offset + n, written_ms=AT_MS)
        for n, each in enumerate(records)
    ]
    database.writing.insert(TABLE_OF[kind], rows, column_names=columns_of(kind))


@pytest.fixture(scope="module")
def reckoned(database: Database) -> Iterator[Reckoned]:
    """The records are stored; walks through them ask many questions that others asked."""
    found = stored(database)
    with asked_once():
        yield found


def stored(database: Database) -> Reckoned:
    """Over a year, in several parts that are not merged, and some rows twice."""
    chosen = random.Random(15)
    for table in ("mt_last_state_rows", "conversation_line_rows", "consent_change_rows"):
        database.writing.command(f"SYSTEM STOP MERGES twoway.{table}")
    commands, first, last = [], [], []
    known: list[tuple[Any, str, str]] = []
    for n in range(COMMANDS):
        minutes = chosen.choice((n // 3, chosen.randrange(500_000)))
        id = {"command_id": f"{n:032x}", "request_id": f"o{n}"}
        handset = chosen.choice(HANDSETS)
        commands.append(command("5", handset, f"sent {n}", minutes, **id))
        (name,) = chosen.choices(list(STATES), weights=list(STATES.values()))
        first.append(state("5", handset, "submitted", minutes, state_id=f"s{n}", code="003", **id))
        if n % 50 == 49:
            known.append((commands[-1], "submitted", "003"))
            continue
        last.append(state("5", handset, name, minutes, state_id=f"e{n}", code=CODES[name], **id))
        known.append((commands[-1], name, CODES[name]))
    messages = [
        message("7", chosen.choice(HANDSETS), f"in {n}", chosen.randrange(500_000),
                message_id=f"{n + 10**6:032x}")
        for n in range(500)
    ]  # fmt: skip
    changes = [
        change(
            chosen.choice(HANDSETS), chosen.choice(SIDES), chosen.choice(SIDES), "stop-word",
            chosen.randrange(20), scope=chosen.choice(SCOPES), change_id=f"{n:032x}",
            recorded_at=NOON + timedelta(minutes=chosen.randrange(20)),
        )
        for n in range(400)
    ]  # fmt: skip
    insert(database, first)
    insert(database, last, offset=len(first))
    insert(database, first[:100])  # as after a kill: again, at their own offsets
    insert(database, commands)
    insert(database, commands[:200])
    insert(database, messages)
    for part in range(0, 400, 100):
        insert(database, changes[part : part + 100], offset=part)
    now: dict[tuple[str, str], tuple[Any, Any]] = {}
    for n, each in enumerate(changes):
        key, order = (each.handset, each.scope), (each.at, each.recorded_at, n)
        if key not in now or order > now[key][0]:
            now[key] = (order, each)
    known.sort(key=lambda each: (each[0].at, each[0].command_id), reverse=True)
    return Reckoned(known, messages, {key: each for key, (_, each) in now.items()})


async def walked(database: Database, query: dict[str, str], *, size: int) -> list[str]:
    """The ids of all pages of the list, newest first; and back again they are the same."""
    reader = ListReader(questions_of(database))
    filters = filters_from_query(query)
    ids: list[str] = []
    cursor = Cursor()
    while True:
        page = await reader.page(listings.LINES, filters, cursor, size=size)
        assert len(page.rows) <= size
        ids += [row["id"] for row in page.rows]
        if page.older is None:
            break
        cursor = cursor_from_query(page.older)
    back: list[str] = []
    while page.newer is not None:
        page = await reader.page(listings.LINES, filters, cursor_from_query(page.newer), size=size)
        back = [row["id"] for row in page.rows] + back
    assert back == ids[: len(back)]
    return ids


@pytest.mark.parametrize("few", [50_000, 60, 0], ids=lambda few: f"named up to {few}")
@pytest.mark.parametrize(
    "query",
    [{"state": name} for name in (*STATES, "waiting")]
    + [{"code": "114"}, {"code": "004", "direction": "out"}, {"state": "failed", "code": "008"}]
    + [{"state": "delivered", "handset": HANDSETS[7]}, {"state": "failed", "from": "2026-07-01"}],
    ids=str,
)
def test_a_state_finds_the_commands_that_stand_so(
    database: Database,
    reckoned: Reckoned,
    monkeypatch: pytest.MonkeyPatch,
    query: dict[str, str],
    few: int,
) -> None:
    monkeypatch.setattr(lines, "_FEW_COMMANDS", few)
    filters = filters_from_query(query)
    wanted = [
        each.command_id
        for each, state_now, code in reckoned.commands
        if query.get("state", state_now) == state_now
        and query.get("code", code) == code
        and (not filters.handset or each.handset == filters.handset)
        and (filters.since is None or each.at >= filters.since)
    ]
    size = max(20, len(wanted) // 8)
    assert asyncio.run(walked(database, query, size=size)) == wanted


def test_a_row_of_a_state_has_all_that_a_row_without_the_filter_has(
    database: Database, reckoned: Reckoned
) -> None:
    reader = ListReader(questions_of(database))

    async def rows(query: dict[str, str]) -> dict[str, dict[str, Any]]:
        page = await reader.page(
            listings.LINES, filters_from_query(query), Cursor(), size=COMMANDS + 500
        )
        return {row["id"]: {**row, "asked_at": None} for row in page.rows}

    everything = asyncio.run(rows({}))
    failed = asyncio.run(rows({"state": "failed"}))
    assert failed
    assert failed == {id: everything[id] for id in failed}


WHO = {
    "stopped": lambda sides: any("stopped" in each for each in sides),
    "confirmation-due": lambda sides: any("confirmation-due" in each for each in sides),
    "open": lambda sides: all(each == ("open", "open") for each in sides),
}


@pytest.mark.parametrize("consent", WHO)
def test_consent_finds_the_handsets_that_stand_so(
    database: Database, reckoned: Reckoned, consent: str
) -> None:
    sides: dict[str, list[tuple[str, str]]] = {}
    for (handset, _), each in reckoned.scopes.items():
        sides.setdefault(handset, []).append((each.state, each.gateway_state))
    whose = {handset for handset, each in sides.items() if WHO[consent](each)}
    assert whose
    everything = [(each.at, each.command_id, each.handset) for each, *_ in reckoned.commands]
    everything += [(each.gateway_time, each.message_id, each.handset) for each in reckoned.messages]
    wanted = [id for _, id, handset in sorted(everything, reverse=True) if handset in whose]
    assert asyncio.run(walked(database, {"consent": consent}, size=100)) == wanted


def test_stopped_now_has_each_scope_that_is_not_open(
    database: Database, reckoned: Reckoned
) -> None:
    shut = [
        each
        for each in reckoned.scopes.values()
        if (each.state, each.gateway_state) != ("open", "open")
    ]
    questions = questions_of(database)
    filters = filters_from_query({"from": "2026-01-01"})
    page = asyncio.run(
        ListReader(questions).page(listings.STOPPED_NOW, filters, Cursor(), size=500)
    )
    assert [
        (row["recorded_at"], row["change_id"], row["handset"], row["scope"], row["state"])
        for row in page.rows
    ] == sorted(
        ((each.recorded_at, each.change_id, each.handset, each.scope, each.state) for each in shut),
        key=lambda row: row[:2],
        reverse=True,
    )
    figures = asyncio.run(figures_of(questions, filters))
    assert figures["stopped"] == len({each.handset for each in shut})


def test_a_message_among_years_is_found_by_each_filter(
    database: Database, reckoned: Reckoned
) -> None:
    newest = sorted(reckoned.messages, key=lambda m: (m.gateway_time, m.message_id), reverse=True)
    wanted = [each.message_id for each in newest]
    assert asyncio.run(walked(database, {"direction": "in"}, size=100)) == wanted
    assert asyncio.run(walked(database, {"text": "in 1"}, size=20)) == [
        each.message_id for each in newest if "in 1" in each.text
    ]


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2026-01-01"},
        {"from": "2026-03-04", "to": "2026-05-31"},
        {"from": "2030-01-01"},
        {"from": "2026-01-01", "number": "88801"},
        {"from": "2026-01-01", "number": "1-2"},
        {"from": "2026-01-01", "handset": HANDSETS[3]},
    ],
    ids=str,
)
def test_lines_that_are_stored_twice_are_counted_once_in_all_and_by_day(
    database: Database, reckoned: Reckoned, query: dict[str, str]
) -> None:
    questions, filters = questions_of(database), filters_from_query(query)
    first, last = filters.since or NOON, filters.until or NOON + timedelta(days=9_999)
    is_there = query.get("number", "88801") == "88801"
    handset = query.get("handset", "")
    received = [
        each
        for each in reckoned.messages
        if is_there and first <= each.gateway_time < last and handset in ("", each.handset)
    ]
    decided = [
        each
        for each, *_ in reckoned.commands
        if is_there and first <= each.at < last and handset in ("", each.handset)
    ]
    figures, days = asyncio.run(lines_of(questions, filters, rows=10_000))
    assert figures == {
        "received": len(received),
        "handsets": len({each.handset for each in received}),
        "incomplete": 0,
        "decided": len(decided),
        "refused": 0,
    }
    page = asyncio.run(ListReader(questions).page(listings.PER_DAY, filters, Cursor(), size=10_000))
    assert [{name: row[name] for name in page.rows[0]} for row in days] == page.rows
