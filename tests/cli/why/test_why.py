"""What `why` prints for changes that the consent stage published."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import typer

from pipeline.cli.why.command import lines_of_handset, print_json_of
from pipeline.cli.why.past import Past
from pipeline.records import GateRule
from pipeline.stages.consent.operator import OperatorOrder, take_order
from pipeline.store.story.consent import Change, deciding, scopes_now
from tests.support.conversation import Conversation, mt
from tests.support.rented_numbers import (
    ANN,
    BOB,
    DIRECTORY,
    FIRST,
    HANDSET,
    INSIDE,
    LAST,
    SHARED,
    STRICT,
    directory_from,
)

if TYPE_CHECKING:
    from pipeline.directory.directory import Directory

FIELDS = {field.name for field in msgspec.structs.fields(Change)}


@pytest.fixture
def talk() -> Conversation:
    """A handset that has sent nothing yet."""
    return Conversation()


def changes_of(talk: Conversation) -> list[Change]:
    """The rows as ClickHouse gives them; here the id of a message begins with its text."""
    return [
        Change(
            **{name: each for name, each in msgspec.structs.asdict(row).items() if name in FIELDS},
            text=row.mo_message_id.partition("@")[0],
        )
        for row in talk.changes
    ]


def said(talk: Conversation, number: str = "") -> str:
    return "\n".join(lines_of_handset(HANDSET, number, changes_of(talk), DIRECTORY))


def order(talk: Conversation, *, stops: bool, **fields: Any) -> None:
    wanted = OperatorOrder(
        handset=HANDSET, stops=stops, actor="eve", reason="Letter of 2 March.", **fields
    )
    talk._take(take_order(talk.row, wanted, directory=talk.directory, now=talk.now))


def test_a_stop_names_its_message_rule_and_time_and_what_is_due(talk: Conversation) -> None:
    talk.says("Stop!", late=2)
    assert said(talk, ANN).splitlines() == [
        f"number {ANN}",
        '  ours: confirmation-due, since 2026-03-29T11:58:00Z, by "Stop!" to 447700900001'
        " (message Stop!@115800) (rule stop-word); known since 2026-03-29T12:00:00Z",
        '  the gateway\'s: confirmation-due, since 2026-03-29T11:58:00Z, by "Stop!" to'
        " 447700900001 (message Stop!@115800) (rule stop-word); known since 2026-03-29T12:00:00Z",
        "  due: the default text goes out at 2026-03-29T17:43:00Z unless the application confirms"
        " before; the gateway confirms by itself at 2026-03-29T17:58:00Z",
        "  an MT is refused: opted-out",
        f"  to change it: a later message to {ANN}, whole, readable and without a stop word,"
        " re-enables both sides",
        f"  to change it: `twoway open {HANDSET} {ANN} --reason …` opens ours",
        "  to change it: a message that re-enables cancels the confirmation that is due",
    ]


def test_an_order_names_who_and_why(talk: Conversation) -> None:
    order(talk, stops=True, number=ANN)
    words = said(talk, ANN)
    assert "ours: stopped, since 2026-03-29T12:00:00Z, by order of eve: Letter of 2 March." in words
    assert "the gateway's: open, always" in words
    assert "re-enables ours\n" in words


def test_each_side_has_its_own_since(talk: Conversation) -> None:
    talk.says("STOP")
    talk.tick(400)
    order(talk, stops=False, number=ANN)
    words = said(talk, ANN)
    assert "ours: open, since 2026-03-29T18:40:00Z, by order of eve" in words
    assert "the gateway's: stopped, since 2026-03-29T17:4" in words
    assert 'by our confirmation of "STOP"' in words
    assert "re-enables the gateway's side, and no order of ours does" in words
    assert "twoway open" not in words


def test_a_late_message_that_changes_the_past_is_what_holds(talk: Conversation) -> None:
    talk.says("hello", late=10)
    talk.says("STOP", late=30)
    assert "an MT passes this" in said(talk, ANN)
    talk.says("QUIT", late=5)
    assert 'by "QUIT"' in said(talk, ANN)


@pytest.mark.parametrize(
    ("text", "number", "words"),
    [
        ("STOP", STRICT, "START, UNSTOP or YES to 447700900003 re-enables ours"),
        ("fun stop", SHARED, f"keyword FUN on {SHARED}"),
        ("fun stop", SHARED, f"`twoway open {HANDSET} {SHARED} --keyword FUN --reason …`"),
        ("STOP", INSIDE, f"range {FIRST}-{LAST}"),
        ("STOP ALL", BOB, "nothing of its own: account main, every number of it decides"),
    ],
)
def test_scopes_in_words(talk: Conversation, text: str, number: str, words: str) -> None:
    talk.says(text, number)
    asked = ANN if text == "STOP ALL" else number
    assert words in said(talk, asked)


def test_what_nothing_ever_stopped(talk: Conversation) -> None:
    talk.says("hello")
    assert said(talk) == (
        f"no change of consent is stored of {HANDSET}: nothing that is known stopped it"
    )
    words = said(talk, ANN)
    assert "no change of it is stored: nothing that is known stopped it" in words
    assert f"`twoway stop {HANDSET} {ANN} --reason …`" in words


@pytest.mark.parametrize("number", ["", ANN, SHARED])
@pytest.mark.parametrize("is_past", [False, True])
def test_of_a_handset_without_anything_stored_nothing_is_said(
    number: str, *, is_past: bool
) -> None:
    (line,) = lines_of_handset(
        HANDSET, number, [], DIRECTORY, is_past=is_past, is_anything_known=False
    )
    assert line.startswith(f"nothing is known of {HANDSET}: ")
    assert "open" not in line
    assert "passes" not in line


def test_as_json_nothing_is_claimed_of_a_handset_without_anything_stored(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_json_of([], ANN, DIRECTORY, is_anything_known=False)
    (row,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (row["passes"], row["state"], row["gateway_state"]) == (None, None, None)


def test_without_a_number_every_scope_that_changed_is_told(talk: Conversation) -> None:
    talk.says("STOP")
    talk.says("STOP", INSIDE)
    assert [line for line in said(talk).splitlines() if line[0] != " "] == [
        f"number {ANN}",
        f"range {FIRST}-{LAST}",
    ]


CONVERSATIONS = [
    ["STOP"],
    ["STOP", "hello"],
    ["STOP ALL", "hello"],
    ["hello", "END", "STOP ALL"],
    ["fun"],
]


@pytest.mark.parametrize("texts", CONVERSATIONS, ids=" ".join)
@pytest.mark.parametrize("number", [ANN, STRICT, INSIDE])
@pytest.mark.parametrize("minutes", [1, 400])
def test_what_it_says_of_an_mt_is_what_the_gate_does(
    talk: Conversation, texts: list[str], number: str, minutes: int
) -> None:
    for text in texts:
        talk.says(text, number)
        talk.tick(minutes)
    known = scopes_now(changes_of(talk))
    for sender in (number, BOB):
        found = deciding(DIRECTORY, sender, known).values()
        assert all(now is None or now.is_open for now in found) == talk.is_open(sender)


ALONE = directory_from(f'[[number]]\nnumber = "{INSIDE}"\nkind = "vmn"\n')
DEDICATED = directory_from(f'[[number]]\nnumber = "{SHARED}"\nkind = "vmn"\n')
MOVES = {
    "into a range": [(ALONE, "STOP", INSIDE), (DIRECTORY, "hello", FIRST)],
    "into a range and re-enabled": [(ALONE, "STOP", INSIDE), (DIRECTORY, "hello", INSIDE)],
    "out of a range": [(ALONE, "hello", INSIDE), (DIRECTORY, "STOP", FIRST), (ALONE, "", "")],
    "out of a range and re-enabled": [(DIRECTORY, "STOP", FIRST), (ALONE, "hello", INSIDE)],
    "to a shared code": [(DEDICATED, "STOP", SHARED), (DIRECTORY, "", "")],
    "to a shared code, one keyword used": [(DEDICATED, "STOP", SHARED), (DIRECTORY, "fun", SHARED)],
    "from a shared code": [(DIRECTORY, "STOP", SHARED), (DEDICATED, "", "")],
}


@pytest.mark.parametrize("moves", MOVES.values(), ids=MOVES)
@pytest.mark.parametrize("sender", [INSIDE, FIRST, SHARED])
def test_what_it_says_of_a_number_that_moved_is_what_the_gate_does(
    talk: Conversation, moves: list[tuple[Directory, str, str]], sender: str
) -> None:
    for directory, text, number in moves:
        talk.directory = directory
        talk.pass_minutes(1)
        if text:
            talk.says(text, number)
    known = scopes_now(changes_of(talk))
    found = deciding(talk.directory, sender, known).values()
    keywords = talk.directory.keywords_of(sender) or [None]
    asked = [talk.asks(mt(sender=sender, keyword=keyword)) for keyword in keywords]
    rules = {rejection.rule for decision in asked for rejection in decision.rejections}
    assert all(now is None or now.is_open for now in found) == (GateRule.OPTED_OUT not in rules)


def then(talk: Conversation, at: str | None, known_at: str | None) -> str:
    """What `why --at --known-at` says of a number, in one line."""
    past = Past.from_words(at, known_at)
    assert past is not None
    changes = past.changes_of(changes_of(talk))
    lines = lines_of_handset(HANDSET, ANN, changes, DIRECTORY, is_past=True)
    return " | ".join(lines)


@pytest.mark.parametrize(
    ("at", "known_at", "words"),
    [
        pytest.param("11:57", None, "no change of it is stored", id="before the stop"),
        pytest.param("11:59", None, "is refused: opted-out", id="by what is known today"),
        pytest.param("11:59", "11:59", "no change of it is stored", id="by what was known then"),
        pytest.param(None, "11:59", "no change of it is stored", id="now, by what was known then"),
        pytest.param("12:30", "12:30", "ours: confirmation-due", id="after we knew"),
    ],
)
def test_the_past_is_what_was_true_or_what_was_known(
    talk: Conversation, at: str | None, known_at: str | None, words: str
) -> None:
    talk.says("Stop!", late=2)  # true since 11:58, known since 12:00
    times = [f"2026-03-29T{each}:00Z" if each else None for each in (at, known_at)]
    said_then = then(talk, *times)
    assert words in said_then
    assert "to change it" not in said_then


@pytest.mark.parametrize("text", ["yesterday", "2026-03-29T12:00:00", ""])
def test_what_is_no_time_is_wrong_usage(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        Past.from_words(text, None)


def test_the_present_is_no_past() -> None:
    assert Past.from_words(None, None) is None


@pytest.mark.parametrize(
    ("number", "rows"),
    [
        pytest.param(
            "",
            [("number", ANN, False, "confirmation-due", "stop-word", None)],
            id="every scope that changed",
        ),
        pytest.param(
            BOB, [("number", BOB, True, "open", None, None)], id="a number that nothing stopped"
        ),
    ],
)
def test_as_json_each_scope_is_one_line(
    talk: Conversation, number: str, rows: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    talk.says("Stop!", late=2)
    print_json_of(changes_of(talk), number, DIRECTORY)
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [
        (
            row["scope_kind"],
            row["scope"],
            row["passes"],
            row["state"],
            row["ours_since"] and row["ours_since"]["rule"],
            row["decided_by"],
        )
        for row in told
    ] == rows


def test_as_json_a_scope_whose_account_decides_says_so(
    talk: Conversation, capsys: pytest.CaptureFixture[str]
) -> None:
    talk.says("STOP ALL")
    print_json_of(changes_of(talk), BOB, DIRECTORY)
    (row,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (row["scope"], row["decided_by"], row["passes"]) == (BOB, "account/main", False)
