"""The present state of each command, by the offsets of its states, on the real engine."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from pipeline.cli.dead_letter.command_of import _HANDSET
from pipeline.cli.operate.pipeline_state import COMMANDS
from pipeline.records import CommandState, MtCommand, MtRejection, MtResult, MtState, Record
from pipeline.store.clickhouse.delete import erase
from pipeline.store.clickhouse.migrations import MIGRATIONS_FOLDER
from pipeline.store.decoding import TABLE_OF
from pipeline.store.report.lists.cursor import Cursor
from pipeline.store.report.lists.filters import filters_from_query
from pipeline.store.report.lists.lines import LineReader
from pipeline.store.rows import columns_of, row_from_record
from tests.store.samples import AT, AT_MS, SAMPLES
from tests.support.asking import questions_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.store.clickhouse.database import Database

COMMAND = next(sample for sample in SAMPLES if isinstance(sample, MtCommand))
REJECTION = next(sample for sample in SAMPLES if isinstance(sample, MtRejection))
RESULT = next(sample for sample in SAMPLES if isinstance(sample, MtResult))
STATE = next(sample for sample in SAMPLES if isinstance(sample, MtState))
TABLES = ("mt_command", "mt_state", "mt_rejection", "mt_result", "mo_message")


@pytest.fixture
def empty(database: Database) -> Database:
    for name in (*TABLES, "conversation_line", "mt_last_state"):
        database.writing.command(f"TRUNCATE TABLE twoway.{name}_rows")
    return database


def command(command_id: str, handset: str = "447700900001", **fields: Any) -> MtCommand:
    given = {"command_id": command_id, "handset": handset, "purpose": "reply", "at": AT} | fields
    return msgspec.structs.replace(COMMAND, **given)


def state(name: str, command_id: str, handset: str = "447700900001", **fields: Any) -> MtState:
    given = {
        "state_id": f"{command_id}-{name}",
        "command_id": command_id,
        "handset": handset,
        "state": name,
        "code": "",
        "words": "",
        "until": None,
        "gateway_message_ids": [],
        "at": AT,
    }
    return msgspec.structs.replace(STATE, **given | fields)


def store(database: Database, records: Sequence[tuple[int, Record]]) -> None:
    """Rows of records at these offsets, each in a separate insert."""
    for offset, record in records:
        kind = type(record)
        row = row_from_record(record, key=None, partition=0, offset=offset, written_ms=AT_MS)
        database.writing.insert(TABLE_OF[kind], [row], column_names=columns_of(kind))


async def ask(database: Database, sql: str, **parameters: str) -> list[dict[str, Any]]:
    lines = await questions_of(database).json_lines(sql, parameters)
    return [json.loads(line) for line in lines.splitlines()]


@pytest.mark.parametrize("seed", range(3))
async def test_the_state_with_the_last_offset_holds_in_whatever_order_rows_came(
    empty: Database, seed: int
) -> None:
    chance = random.Random(seed)
    rows: list[tuple[int, Record]] = []
    expected = {}
    offset = 0
    for number in range(5):
        for name in chance.choices(list(CommandState), k=4):
            # Within one millisecond the offset alone tells.
            rows.append((offset, state(name, str(number), state_id=str(offset))))
            expected[str(number)] = name.value
            offset += 1
    chance.shuffle(rows)
    store(empty, rows)
    found = await ask(empty, "SELECT command_id, state FROM mt_now")
    assert {row["command_id"]: row["state"] for row in found} == expected
    assert len(found) == len(expected)


async def test_a_value_that_is_gone_by_the_last_state_is_gone(empty: Database) -> None:
    store(empty, [(1, state("permitted", "a", until=AT)), (2, state("submitted", "a"))])
    [row] = await ask(empty, "SELECT state, until FROM mt_now")
    assert row == {"state": "submitted", "until": None}


@pytest.mark.parametrize(
    ("states", "note"),
    [
        pytest.param([], "reply", id="nothing said yet"),
        pytest.param([state("waiting", "a")], "reply; waiting", id="waits"),
        pytest.param(
            [state("submitted", "a"), state("delivered", "a", code="004")],
            "reply; delivered 004",
            id="delivered",
        ),
        pytest.param(
            [state("failed", "a", code="114", words="Cannot route message")],
            "reply; failed 114 (Cannot route message)",
            id="failed",
        ),
        pytest.param([state("delivered", "another")], "reply", id="of another command"),
        pytest.param([state("delivered", "a", "447700900002")], "reply", id="of another handset"),
    ],
)
async def test_an_mt_says_what_became_of_it(
    empty: Database, states: list[MtState], note: str
) -> None:
    store(empty, [(0, command("a")), *enumerate(states, 1)])
    for where in ("", " WHERE handset = '447700900001'"):
        [row] = await ask(empty, f"SELECT * FROM two_way{where}")
        assert (row["id"], row["direction"], row["note"]) == ("a", "MT", note)
        assert list(row) == ["at", "direction", "handset", "number", "text", "id", "note"]


async def test_one_handset_is_answered_without_reading_the_others(empty: Database) -> None:
    """The conversation of one handset is read from its own granules, in both tables."""
    for table in ("mt_command", "mt_state"):
        column = "" if table == "mt_command" else ", state"
        value = "" if table == "mt_command" else ", 'submitted'"
        empty.writing.command(
            f"INSERT INTO twoway.{table}_rows (command_id, handset, at{column})"
            f" SELECT toString(number), toString(447700000000 + number), now64(3){value}"
            " FROM numbers(100000)"
        )
    sql = "EXPLAIN indexes = 1 SELECT * FROM twoway.two_way WHERE handset = '447700000001'"
    lines = [str(row[0]) for row in empty.writing.query(sql).result_rows]
    granules = [line.partition("Granules:")[2].strip() for line in lines if "Granules:" in line]
    read = [piece for piece in granules if "/" not in piece]
    assert read
    assert all(int(piece) <= 1 for piece in read)


async def test_what_is_not_resolved_is_listed_until_it_is(empty: Database) -> None:
    sql = (MIGRATIONS_FOLDER / "questions/unresolved.sql").read_text()
    store(
        empty,
        [
            (1, state("unknown", "a")),
            (2, state("unknown", "b")),
            (3, state("waiting", "c")),
            (4, state("delivered", "b")),
        ],
    )
    found = await ask(empty, sql, since=f"{AT:%Y-%m-%d}")
    assert [row["command_id"] for row in found] == ["a"]
    assert await ask(empty, sql, since="2299-01-01") == []


async def test_open_commands_are_counted_by_state_with_the_oldest(empty: Database) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    hour = timedelta(hours=1)
    old = now - timedelta(days=30)
    store(
        empty,
        [
            (1, state("waiting", "a", at=now - 2 * hour, state_id="1")),
            (2, state("waiting", "a", at=now - hour, state_id="2")),
            (3, state("waiting", "b", at=now)),
            (4, state("unknown", "c", at=old)),
            (5, state("waiting", "d", at=now)),
            (6, state("permitted", "d", at=now)),
            (7, state("submitted", "d", at=now)),
            (8, state("unknown", "e", at=old)),
            (9, state("delivered", "e", at=now)),
            (10, state("permitted", "f", at=now)),
            # No sender has asked for these: one waits, the others are refused, sent, or expired.
            (11, command("g", at=now - 3 * hour, not_after=now + hour)),
            (12, command("h", at=now, not_after=now + hour)),
            (13, msgspec.structs.replace(REJECTION, command_id="h", at=now)),
            (14, command("i", at=now, not_after=now + hour)),
            (15, msgspec.structs.replace(RESULT, command_id="i", at=now)),
            (16, command("j", at=now - 2 * hour, not_after=now - hour)),
            (17, command("d", at=now, not_after=now + hour)),
        ],
    )
    found = await ask(empty, COMMANDS)
    assert [(row["state"], int(row["commands"]), row["oldest"]) for row in found] == [
        ("permitted", 1, f"{now:%FT%TZ}"),
        ("unknown", 1, f"{old:%FT%TZ}"),
        ("waiting", 3, f"{now - 3 * hour:%FT%TZ}"),
    ]


async def test_messages_out_are_listed_with_their_states(empty: Database) -> None:
    later = AT + timedelta(hours=1)
    store(
        empty,
        [
            (0, command("a")),
            (1, command("b", "447700900002", at=later)),
            (2, state("submitted", "a", charge="0.5")),
            (3, state("undelivered", "a", code="007", words="Error delivering message")),
        ],
    )
    query = {"from": f"{AT:%Y-%m-%d}", "to": f"{AT:%Y-%m-%d}"}
    filters = filters_from_query(query | {"direction": "out"})
    found = await LineReader(questions_of(empty)).read(filters, Cursor(), rows=10)
    assert [(row["command_id"], row["state"], row["code"]) for row in found] == [
        ("b", "", ""),
        ("a", "undelivered", "007"),
    ]


async def test_a_status_without_a_handset_is_found_by_either_id(empty: Database) -> None:
    store(
        empty,
        [(0, command("a")), (1, state("submitted", "b", gateway_message_ids=["g1", "g2"]))],
    )
    for ids, handset in (
        (("a", ""), ["447700900001"]),
        (("", "g2"), ["447700900001"]),
        (("x", "y"), []),
        (("", ""), []),
    ):
        found = await ask(empty, _HANDSET, command_id=ids[0], gateway_id=ids[1])
        assert [row["handset"] for row in found] == handset


async def test_a_forgotten_handset_has_no_state_left(empty: Database) -> None:
    store(empty, [(0, command("a")), (1, state("delivered", "a"))])
    erase(empty.writing, "447700900001", {("mt-state", 0): 10, ("mt-command", 0): 10})
    assert await ask(empty, "SELECT * FROM mt_now") == []
