"""What `mt show` prints, asked through the report on the real engine; what `mt resolve` accepts."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from pipeline.cli.mt import history as mt_history
from pipeline.cli.mt import show, waiting
from pipeline.cli.mt.history import history_of, now_of
from pipeline.cli.mt.resolve import checked, result_from
from pipeline.cli.terminal.failure import CommandError
from pipeline.records import (
    CommandState,
    MtCommand,
    MtRejection,
    MtRequest,
    MtResult,
    MtState,
    Record,
)
from pipeline.settings import Settings
from pipeline.store.clickhouse.database import Database
from pipeline.store.decoding import TABLE_OF
from pipeline.store.rows import columns_of, row_from_record
from pipeline.store.story.command import Now
from pipeline.store.story.command_words import lines_of_mt
from tests.ingest.http.mt.test_status import command, rejection, result, state
from tests.support.asking import questions_of
from tests.support.migrated import migrated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Store = Callable[..., None]

AT = datetime(2030, 1, 1, 12, tzinfo=UTC)
COMMAND, REQUEST, GATEWAY = "c" * 32, "order-7", "996f364775e24b8432f45d77da8eca47"
HOLDER = "h" * 16


def second(number: int) -> datetime:
    return AT + timedelta(seconds=number)


def named(record: Any, **fields: Any) -> Any:
    """Names the command, the request and the handset of these tests."""
    ids = {"command_id": COMMAND, "request_id": REQUEST, "handset": "447700900001"}
    own = {name: ids[name] for name in ids if name in record.__struct_fields__}
    return msgspec.structs.replace(record, **own | fields)


ASKED = MtRequest(
    request_id=REQUEST, to="+447700900001", text="Hello  to\nyou", requested_at=second(0)
)
PASSED = named(
    command(),
    at=second(1),
    not_after=second(3600),
    sender_id="447700900999",
    api_id="12345",
    text=ASKED.text,
)


def stood(number: int, name: str, **fields: Any) -> MtState:
    found: MtState = named(state(name), state_id=str(number), at=second(number), **fields)
    return found


def saw(number: int, outcome: str, **fields: Any) -> MtResult:
    found: MtResult = named(result(outcome), result_id=str(number), at=second(number), **fields)
    return found


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with Database(Settings(home=migrated(tmp_path_factory.mktemp("store")))) as opened:
        yield opened


@pytest.fixture
def store(database: Database, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Stores records, each at the next offset; the commands ask the same engine."""
    questions = questions_of(database)

    def rows(_report: str, sql: str, *, parameters: Any = None) -> list[dict[str, Any]]:
        lines = asyncio.run(questions.json_lines(sql, parameters))
        return [json.loads(line) for line in lines.splitlines()]

    monkeypatch.setattr(mt_history, "rows", rows)
    for kind in (MtRequest, MtCommand, MtRejection, MtResult, MtState):
        database.writing.command(f"TRUNCATE TABLE twoway.{TABLE_OF[kind]}")

    def store(*records: Record) -> None:
        rows: dict[type[Record], list[Any]] = {}
        for offset, record in enumerate(records):
            row = row_from_record(
                record, key=b"447700900001", partition=0, offset=offset, written_ms=0
            )
            rows.setdefault(type(record), []).append(row)
        for kind, block in rows.items():
            database.writing.insert(TABLE_OF[kind], block, column_names=columns_of(kind))

    return store


def said(name: str = COMMAND) -> list[str]:
    return list(lines_of_mt(history_of("", name)))


def test_the_whole_path_of_an_mt_is_told_in_order(store: Store) -> None:
    permit = {"holder": HOLDER, "until": second(12), "consent_asked_at": second(2)}
    store(
        ASKED,
        PASSED,
        stood(1, "waiting", source="gate", attempt=0),
        stood(2, "permitted", **permit),
        saw(3, "failed", code="130", is_temporary=True, way="http", api_id="12345"),
        stood(4, "waiting", source="answer", code="130", retry_at=second(9)),
        stood(9, "permitted", attempt=2, **permit | {"until": second(19)}),
        saw(
            10,
            "submitted",
            attempt=2,
            way="http",
            api_id="12345",
            gateway_message_id=GATEWAY,
        ),
        stood(10, "submitted", source="answer", attempt=2, gateway_message_ids=[GATEWAY]),
        stood(
            15,
            "delivered",
            source="callback",
            attempt=2,
            code="004",
            charge="0.300000",
            gateway_message_ids=[GATEWAY],
        ),
    )
    expected = [
        f"command {COMMAND}, request order-7",
        "  reply from 447700900999 to 447700900001 by the api 12345, 1 part in gsm7",
        '  "Hello to you", not after 2030-01-01T13:00:00Z',
        '  2030-01-01T12:00:00Z  asked for: "Hello to you" to +447700900001',
        "  2030-01-01T12:00:01Z  let pass by the gate",
        "  2030-01-01T12:00:01Z  waiting: the gate let it pass",
        f"  2030-01-01T12:00:02Z  permitted: attempt 1 to the sender {HOLDER} until"
        " 2030-01-01T12:00:12Z; consent was looked at 2030-01-01T12:00:02Z",
        "  2030-01-01T12:00:03Z  a sender saw: failed (may be tried again), attempt 1 by http,"
        " api 12345 (130)",
        "  2030-01-01T12:00:04Z  waiting until 2030-01-01T12:00:09Z (130): by what a sender saw",
        f"  2030-01-01T12:00:09Z  permitted: attempt 2 to the sender {HOLDER} until"
        " 2030-01-01T12:00:19Z; consent was looked at 2030-01-01T12:00:02Z",
        "  2030-01-01T12:00:10Z  a sender saw: submitted, attempt 2 by http, api 12345, the"
        f" gateway's id {GATEWAY}",
        f"  2030-01-01T12:00:10Z  submitted: by what a sender saw, the gateway's id {GATEWAY}",
        f"  2030-01-01T12:00:15Z  delivered (004): by a status callback, the gateway's id {GATEWAY}"
        ", charged 0.300000 credits",
        "now: delivered (004), charged 0.300000 credits, since 2030-01-01T12:00:15Z",
    ]
    assert said() == expected
    assert said(REQUEST) == expected


@pytest.mark.parametrize(
    ("records", "last"),
    [
        pytest.param([ASKED], "not decided by the gate yet", id="asked"),
        pytest.param([ASKED, PASSED], "waiting to be sent", id="no word of the worker"),
        pytest.param(
            [ASKED, named(rejection("opted-out"), at=second(1))],  # type: ignore[arg-type]
            "refused: opted-out",
            id="refused by the gate",
        ),
        pytest.param(
            [ASKED, PASSED, saw(2, "submitted")],
            "submitted, as its sender saw it",
            id="sent by others",
        ),
        pytest.param(
            [PASSED, stood(2, "unknown", source="lapse", words="no result came")],
            "unknown (no result came), since 2030-01-01T12:00:02Z",
            id="unknown",
        ),
    ],
)
def test_the_last_line_says_how_it_stands(store: Store, records: list[Record], last: str) -> None:
    store(*records)
    assert said(REQUEST)[-1] == f"now: {last}"


def test_a_refusal_before_it_was_sent_names_the_message_behind_it(store: Store) -> None:
    refusal = named(
        rejection("opted-out-before-sent"),  # type: ignore[arg-type]
        at=second(3),
        mo_message_id="m" * 32,
        caused_at=second(2),
        detail="stopped",
    )
    store(ASKED, PASSED, refusal, stood(3, "refused", source="stop"))
    assert (
        "  2030-01-01T12:00:03Z  refused: opted-out-before-sent (stopped); message"
        f" {'m' * 32} of 2030-01-01T12:00:02Z"
    ) in said()


@pytest.mark.parametrize("name", ["", "no-such-id", COMMAND])
def test_what_nobody_knows_is_a_sentence(store: Store, name: str) -> None:
    store()
    with pytest.raises(CommandError, match="nothing is known"):
        list(show.lines_of_id(Settings(kafka="k:1", report_port=9), name))


@pytest.mark.parametrize("name", CommandState)
def test_every_state_has_words(store: Store, name: CommandState) -> None:
    store(PASSED, stood(2, name), stood(3, name, ask_gateway=True, behind="b", parts=[1]))
    assert any(name in line for line in said())


@pytest.mark.parametrize("name", CommandState)
def test_only_what_is_unknown_is_resolved(store: Store, name: CommandState) -> None:
    store(PASSED, stood(2, "unknown"), stood(3, name, attempt=2))
    now = now_of("", COMMAND)
    assert now == Now(
        command_id=COMMAND,
        request_id=REQUEST,
        handset="447700900001",
        state=name,
        attempt=2,
    )
    assert checked(now, is_forced=True) == now
    if name is CommandState.UNKNOWN:
        assert checked(now, is_forced=False) == now
    else:
        with pytest.raises(CommandError, match=f"it stands as {name}"):
            checked(now, is_forced=False)


def test_a_command_that_nobody_knows_is_not_resolved(store: Store) -> None:
    store()
    assert now_of("", COMMAND) is None
    for now in (None, Now(command_id="c", request_id="", handset="", state="unknown", attempt=1)):
        with pytest.raises(CommandError):
            checked(now, is_forced=True)


@pytest.mark.parametrize(
    ("was_sent", "outcome", "is_temporary"), [(True, "submitted", False), (False, "failed", True)]
)
def test_the_operators_word_is_a_result_that_is_not_final(
    was_sent: bool, outcome: str, is_temporary: bool
) -> None:
    now = Now(
        command_id=COMMAND,
        request_id=REQUEST,
        handset="447700900001",
        state="unknown",
        attempt=3,
    )
    found = result_from(now, was_sent=was_sent, words="eve: asked them", at=AT)
    assert (found.outcome, found.is_temporary) == (outcome, is_temporary)
    assert (found.final, found.source, found.holder) == (False, "operator", "")
    assert (found.command_id, found.attempt, found.words) == (COMMAND, 3, "eve: asked them")


@pytest.mark.parametrize(
    ("records", "is_decided", "was_sent"),
    [
        ([ASKED], False, False),
        ([ASKED, PASSED], False, False),
        ([PASSED, stood(1, "waiting")], False, False),
        ([PASSED, saw(1, "submitted"), stood(2, "permitted")], False, False),
        ([PASSED, stood(1, "submitted")], True, True),
        ([PASSED, stood(1, "delivered")], True, True),
        ([PASSED, stood(1, "unknown")], True, False),
        ([PASSED, stood(1, "failed")], True, False),
        ([PASSED, stood(1, "undelivered")], True, False),
        ([ASKED, named(rejection("opted-out"))], True, False),  # type: ignore[arg-type]
        ([PASSED, saw(1, "submitted")], True, True),
        ([PASSED, saw(1, "failed")], True, False),
    ],
)
def test_waiting_ends_once_it_is_sent_or_refused(
    store: Store, records: list[Record], is_decided: bool, was_sent: bool
) -> None:
    store(*records)
    history = history_of("", REQUEST)
    assert (waiting.decided(history) is not None) == is_decided
    if is_decided:
        assert waiting.was_sent(history) == was_sent
