"""The ready questions about the past, on the real engine, with late events."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from pipeline.avro.single_object import snake_from_camel
from pipeline.store.clickhouse.migrations import MIGRATIONS_FOLDER
from pipeline.store.clickhouse.writer import ClickHouseWriter
from pipeline.store.decoding import TABLE_OF, TableRows
from pipeline.store.rows import columns_of, row_from_record
from tests.store.samples import AT_MS
from tests.support.asking import questions_of
from tests.support.conversation import Conversation, mt
from tests.support.rented_numbers import ANN, BOB, HANDSET, NOON

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from pipeline.records import Record
    from pipeline.store.clickhouse.database import Database

    Ask = Callable[..., Awaitable[list[dict[str, Any]]]]

QUESTIONS = MIGRATIONS_FOLDER / "questions"


@pytest.fixture
def writer(database: Database) -> Iterator[ClickHouseWriter]:
    """Writes to tables that are empty at first."""
    for name in ("consent_change", "mt_command"):
        database.writing.command(f"TRUNCATE TABLE twoway.{name}_rows")
    opened = ClickHouseWriter(database.writing)
    yield opened
    opened.close()


@pytest.fixture
def ask(database: Database) -> Ask:
    """Puts a question as a user does, by its file and its parameters."""
    questions = questions_of(database)

    async def ask(name: str, **parameters: str) -> list[dict[str, Any]]:
        answer = await questions.json_lines((QUESTIONS / f"{name}.sql").read_text(), parameters)
        return [json.loads(line) for line in answer.splitlines()]

    return ask


async def store(writer: ClickHouseWriter, *talks: Conversation) -> None:
    """Stores everything that these conversations published, in the order of publishing."""
    for records in ([t.changes for t in talks], [t.commands for t in talks]):
        found: list[Record] = [record for each in records for record in each]
        if not found:
            continue
        kind = type(found[0])
        rows = [
            row_from_record(record, key=None, partition=0, offset=offset, written_ms=AT_MS)
            for offset, record in enumerate(found)
        ]
        table = TableRows(TABLE_OF[kind], columns_of(kind), rows)
        await writer.insert(table, tag=snake_from_camel(kind.__name__) + str(len(rows)))


def is_sent(talk: Conversation, sender: str = ANN) -> str:
    """The id of the command that an MT request made now leads to."""
    [command] = talk.asks(mt(sender=sender, request_id=f"r-{len(talk.commands)}")).commands
    return command.command_id


async def test_what_was_sent_before_a_stop_was_open(writer: ClickHouseWriter, ask: Ask) -> None:
    talk = Conversation()
    sent = is_sent(talk)
    talk.pass_minutes(1)
    talk.says("STOP")
    await store(writer, talk)
    [row] = await ask("open_when_sent", command_id=sent)
    assert (row["handset"], row["open_as_we_knew"], row["open_as_it_was"]) == (HANDSET, 1, 1)
    assert row["because"] == []
    assert await ask("open_when_sent", command_id="none") == []
    assert await ask("sent_though_stopped", since="2026-01-01T00:00:00Z") == []


async def test_a_stop_that_came_late_was_true_and_not_known(
    writer: ClickHouseWriter, ask: Ask
) -> None:
    talk = Conversation()
    sent = is_sent(talk)
    talk.pass_minutes(30)
    talk.says("STOP", late=40)
    await store(writer, talk)
    for row in (
        *await ask("open_when_sent", command_id=sent),
        *await ask("sent_though_stopped", since="2026-03-29T12:00:00Z"),
    ):
        assert (row["open_as_we_knew"], row["open_as_it_was"]) == (1, 0)
        [reason] = row["because"]
        assert list(reason.values())[:4] == ["number", ANN, "confirmation-due", "confirmation-due"]
    assert len(await ask("sent_though_stopped", since="2026-03-29T12:00:00Z")) == 1
    assert await ask("sent_though_stopped", since="2026-03-29T12:00:01Z") == []


async def test_stop_all_answers_for_numbers_without_rows(
    writer: ClickHouseWriter, ask: Ask
) -> None:
    talk = Conversation()
    sent = is_sent(talk)
    talk.pass_minutes(30)
    talk.says("STOP ALL", BOB, late=40)
    await store(writer, talk)
    [row] = await ask("open_when_sent", command_id=sent)
    assert (row["open_as_we_knew"], row["open_as_it_was"]) == (1, 0)


AS_OF = [
    ("12:10", "12:20", []),
    ("12:10", "12:40", [("confirmation-due", "stop-word")]),
    ("12:10", "13:10", [("confirmation-due", "stop-word")]),
    ("12:25", "12:40", [("confirmation-due", "stop-word")]),
    ("12:25", "13:10", [("open", "re-enabled")]),
]


@pytest.mark.parametrize(("at", "known_at", "expected"), AS_OF)
async def test_what_was_true_and_what_was_known(
    writer: ClickHouseWriter, ask: Ask, at: str, known_at: str, expected: list[tuple[str, str]]
) -> None:
    talk = Conversation()
    talk.pass_minutes(30)
    talk.says("STOP", late=25)  # of 12:05, known at 12:30
    talk.pass_minutes(30)
    talk.says("hello", late=45)  # of 12:15, known at 13:00
    await store(writer, talk)
    day = f"{NOON:%Y-%m-%d}T"
    rows = await ask(
        "consent_as_of", handset=HANDSET, at=f"{day}{at}:00Z", known_at=f"{day}{known_at}:00Z"
    )
    assert [(row["state"], row["rule"]) for row in rows] == expected


async def test_the_gate_went_by_what_was_known_and_the_truth_is_what_order_gives(
    writer: ClickHouseWriter, ask: Ask
) -> None:
    """The second answer equals the answer for the same conversation without late events."""
    chance = random.Random(5)
    talks = []
    expected: dict[str, tuple[int, int]] = {}
    for number in range(12):
        handset = f"2782{number:07d}"
        talk = Conversation()
        said: list[tuple[int, str, str]] = []
        asked: list[tuple[int, str, str]] = []
        for minute in range(1, 40):
            talk.pass_minutes(1)
            word = chance.choice(["STOP", "hello", "STOP ALL", "ask", "ask", ""])
            at = chance.choice([ANN, BOB])
            if word == "ask":
                decision = talk.asks(mt(sender=at, request_id=f"r-{minute}"))
                asked += [(minute, at, c.command_id) for c in decision.commands]
            elif word:
                late = chance.randrange(0, minute + 5)
                talk.says(word, at, late=late)
                said.append((minute - late, word, at))
        for minute, at, command_id in asked:
            punctual = Conversation()
            for when, word, texted in sorted(said, key=lambda each: each[0]):
                if when <= minute:
                    punctual.now = NOON
                    punctual.pass_minutes(when)
                    punctual.says(word, texted)
            punctual.now = NOON
            punctual.pass_minutes(minute)
            expected[f"{number}-{command_id}"] = (1, int(punctual.is_open(at)))
        talk.changes = [msgspec.structs.replace(each, handset=handset) for each in talk.changes]
        talk.commands = [
            msgspec.structs.replace(each, handset=handset, command_id=f"{number}-{each.command_id}")
            for each in talk.commands
        ]
        talks.append(talk)
    await store(writer, *talks)
    answers = {}
    for command_id in expected:
        [row] = await ask("open_when_sent", command_id=command_id)
        answers[command_id] = (row["open_as_we_knew"], row["open_as_it_was"])
    assert answers == expected
    wrongly = {row["command_id"] for row in await ask("sent_though_stopped", since="2026-01-01")}
    assert wrongly == {command_id for command_id, (_, true) in expected.items() if not true}
    assert 3 < len(wrongly) < len(expected) - 3
