"""Consent of dedicated numbers (G7.1.1): stops, re-enabling, the order of events."""

from datetime import timedelta

import pytest

from pipeline.records import Flag
from pipeline.stages.consent.decide import consent_due_at, fall_due
from tests.support.conversation import Conversation, mt
from tests.support.rented_numbers import ANN, BOB, CODE, DIRECTORY, ELSEWHERE, HANDSET, NOON

DUE = ("confirmation-due", "confirmation-due")
STOPPED = ("stopped", "stopped")
OPEN = ("open", "open")


@pytest.fixture
def talk() -> Conversation:
    """A handset that has sent nothing yet."""
    return Conversation()


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "end",
        "Cancel",
        "unsubscribe",
        "QUIT",
        " stop.\n",
        "«Stop!»",
        "\uff33\uff34\uff2f\uff30",
        "\u017ftop",
    ],
)
def test_a_stop_message_stops_the_number_it_was_sent_to(talk: Conversation, text: str) -> None:
    [change] = talk.says(text).changes
    assert (change.scope_kind, change.scope) == ("number", ANN)
    assert (change.state, change.gateway_state) == DUE
    assert (change.previous_state, change.previous_gateway_state) == OPEN
    assert (change.rule, change.number, change.handset) == ("stop-word", ANN, HANDSET)
    assert change.mo_message_id == f"{text}@120000"
    assert change.at == change.recorded_at == NOON
    assert not talk.is_open(ANN)
    assert talk.is_open(BOB)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        pytest.param("please do not cancel", {}, id="contains-a-stop-word"),
        pytest.param("STOP PLEASE", {}, id="stop-word-and-more"),
        pytest.param("STOP", {"complete": False, "parts_missing": [2]}, id="incomplete"),
        pytest.param("fun stop", {}, id="keyword-stop-at-a-dedicated-number"),
        pytest.param("STOP \U0001f64f", {}, id="a-symbol-is-no-punctuation"),
    ],
)
def test_what_merely_contains_a_stop_word_changes_nothing_and_is_flagged(
    talk: Conversation, text: str, fields: dict[str, object]
) -> None:
    decision = talk.says(text, **fields)
    assert not decision.changes
    assert decision.message is not None
    assert decision.message.flags == [Flag.REVIEW]
    assert talk.is_open()


@pytest.mark.parametrize("text", ["hello", "weekend", "stopping by", "unstoppable", "HELPED", "?"])
def test_a_later_message_without_a_stop_word_re_enables(talk: Conversation, text: str) -> None:
    talk.says("STOP")
    talk.pass_minutes(10)
    [change] = talk.says(text).changes
    assert (change.state, change.gateway_state, change.rule) == (*OPEN, "re-enabled")
    assert (change.previous_state, change.number) == ("confirmation-due", ANN)
    assert change.mo_message_id == f"{text}@121000"
    assert talk.is_open()


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        pytest.param("please do not cancel", {}, id="contains-a-stop-word"),
        pytest.param("STOP", {}, id="stops-again"),
        pytest.param("", {}, id="empty"),
        pytest.param(" \n", {}, id="blank"),
        pytest.param("hel", {"complete": False}, id="incomplete-or-late-piece"),
        pytest.param("hello \ufffd", {"lossy": True}, id="not-losslessly-decoded"),
        pytest.param("0a1b", {"charset": "8-BIT"}, id="binary-is-not-decoded"),
        pytest.param("hello", {"number": BOB}, id="to-another-number"),
    ],
)
def test_no_other_message_re_enables(
    talk: Conversation, text: str, fields: dict[str, object]
) -> None:
    talk.says("STOP")
    talk.pass_minutes(10)
    assert not talk.says(text, **fields).changes
    assert talk.states() == DUE


def test_help_never_re_enables_ours(talk: Conversation) -> None:
    talk.says("STOP")
    talk.pass_minutes(1)
    talk.says(" help! ")
    assert talk.states() == ("confirmation-due", "open")
    assert not talk.is_open()
    talk.tick(345)
    assert talk.states() == ("stopped", "open")
    assert len(talk.commands) == 1


def test_extra_stop_words_are_the_numbers_own(talk: Conversation) -> None:
    assert not talk.says("Halt!", ANN).changes
    assert [c.scope for c in talk.says("Halt!", CODE).changes] == [CODE]
    assert talk.says("the halt", CODE).message.flags == [Flag.REVIEW]


def test_a_number_not_listed_is_stopped_like_any_other(talk: Conversation) -> None:
    assert [c.scope for c in talk.says("STOP", "27119998888").changes] == ["27119998888"]


def test_an_alphanumeric_handset_has_no_consent_and_its_messages_pass(talk: Conversation) -> None:
    decision = talk.says("STOP", handset="ACME")
    assert decision.row is None
    assert not decision.changes
    assert decision.message is not None
    assert decision.message.text == "STOP"
    assert decision.message.flags == [Flag.NO_CONSENT]


class TestOrder:
    """Changes follow the gateway time; a late event gives a row about the past."""

    def test_a_late_retry_of_an_old_stop_does_not_undo_a_newer_message(self) -> None:
        talk = Conversation()
        talk.says("hello")
        talk.pass_minutes(30)
        first, second = talk.says("STOP", late=40).changes
        assert (first.at, first.state, first.rule) == (
            NOON - timedelta(minutes=10),
            *DUE[:1],
            "stop-word",
        )
        assert (second.at, second.state, second.rule) == (NOON, "open", "re-enabled")
        assert second.mo_message_id == "hello@120000"
        assert first.recorded_at == NOON + timedelta(minutes=30) < second.recorded_at
        assert talk.is_open()
        talk.tick(400)
        assert not talk.commands

    def test_the_first_message_after_a_late_stop_ended_it(self) -> None:
        talk = Conversation()
        for _ in range(3):
            talk.says(f"hello {talk.now:%M}")
            talk.pass_minutes(1)
        assert [c.mo_message_id for c in talk.says("STOP", late=30).changes] == [
            "STOP@113300",
            "hello 00@120000",
        ]

    def test_a_late_message_does_not_undo_a_newer_stop(self) -> None:
        talk = Conversation()
        talk.says("STOP")
        talk.pass_minutes(5)
        assert not talk.says("hello", late=10).changes
        assert talk.states() == DUE

    def test_a_late_message_between_two_stops_splits_them(self) -> None:
        talk = Conversation()
        talk.says("STOP")
        talk.pass_minutes(20)
        assert not talk.says("STOP").changes
        talk.pass_minutes(1)
        assert [(c.at - NOON, c.state) for c in talk.says("hello", late=11).changes] == [
            (timedelta(minutes=10), "open"),
            (timedelta(minutes=20), "confirmation-due"),
        ]
        assert consent_due_at(talk.row) == NOON + timedelta(minutes=20 + 345)

    def test_a_late_message_before_a_confirmation_corrects_what_was_said_of_it(self) -> None:
        talk = Conversation()
        talk.says("STOP")
        talk.pass_minutes(20)
        talk.asks(mt(confirms_opt_out=True))
        talk.pass_minutes(5)
        told = [(c.at - NOON, c.previous_state, c.state) for c in talk.says(late=15).changes]
        assert told == [
            (timedelta(minutes=10), "confirmation-due", "open"),
            (timedelta(minutes=20), "stopped", "open"),  # else the row of that time would stand
        ]
        assert talk.is_open()

    def test_a_confirmation_is_of_its_stop_and_of_none_after_a_re_enabling(self) -> None:
        talk = Conversation()
        talk.says("STOP")
        talk.pass_minutes(20)
        talk.asks(mt(confirms_opt_out=True))
        talk.pass_minutes(5)
        talk.says("QUIT", late=10)
        talk.says("hello", late=15)
        assert talk.states() == DUE
        talk.tick(400)
        assert [c.mo_message_id for c in talk.commands] == ["STOP@120000", "QUIT@121500"]

    def test_equal_gateway_times_count_in_order_of_arrival(self) -> None:
        talk = Conversation()
        talk.says("hello")
        talk.says("STOP")
        assert talk.states() == DUE
        talk.says("hello again")
        assert talk.states() == OPEN

    def test_gateway_times_are_compared_in_whole_seconds(self) -> None:
        talk = Conversation()
        talk.now = NOON + timedelta(seconds=0.9)
        talk.says("STOP")
        talk.says("hello", gateway_time=NOON + timedelta(seconds=0.1))
        assert talk.states() == OPEN

    def test_a_gateway_time_after_our_receipt_counts_as_our_receipt(self) -> None:
        talk = Conversation()
        talk.says("STOP", gateway_time=NOON + timedelta(hours=3))
        assert talk.changes[0].at == NOON

    def test_a_repeated_stop_is_remembered_and_changes_nothing(self) -> None:
        talk = Conversation()
        talk.says("STOP")
        talk.pass_minutes(1)
        assert not talk.says("QUIT").changes
        assert len(talk.row.timelines[0].events) == 2


def test_a_row_stays_small(talk: Conversation) -> None:
    for minute in range(200):
        talk.now = NOON + timedelta(minutes=minute)
        talk.says(f"hello {minute}")
    assert len(talk.octets) < 300
    for minute in range(200, 600):
        talk.now = NOON + timedelta(minutes=minute)
        talk.says("STOP" if minute % 2 else f"hello {minute}")
    assert len(talk.octets) < 4000


def test_a_past_long_told_is_not_revised(talk: Conversation) -> None:
    for _ in range(40):
        talk.says("STOP")
        talk.pass_minutes(1)
        talk.says("hello")
        talk.pass_minutes(1)
    assert not talk.says("STOP", late=79).changes
    assert talk.is_open()
    assert [c.state for c in talk.says("STOP", late=2.5).changes] == ["confirmation-due"]


def test_few_scopes_without_stops_are_remembered(talk: Conversation) -> None:
    talk.says("STOP", ANN)
    for number in range(100):
        talk.pass_minutes(1)
        talk.says("hello", f"2711{number:06d}")
    assert len(talk.row.timelines) == 17
    assert not talk.is_open(ANN)


def test_nothing_due_changes_nothing(talk: Conversation) -> None:
    talk.says("hello")
    decision = fall_due(talk.row, directory=DIRECTORY, now=NOON, rules=talk.rules)
    assert (decision.row, decision.changes, decision.commands) == (talk.row, [], [])
    assert consent_due_at(talk.row) is None


def test_the_same_events_give_the_same_records() -> None:
    def told() -> list[object]:
        talk = Conversation()
        for text in ("hello", "STOP", "STOP ALL", "hello", "END"):
            talk.says(text)
            talk.tick(200)
        return [talk.octets, talk.changes, talk.commands]

    assert told() == told()


def test_numbers_of_other_accounts_are_not_touched(talk: Conversation) -> None:
    talk.says("hello", ELSEWHERE)
    talk.says("STOP ALL", ANN)
    assert talk.is_open(ELSEWHERE)
    talk.says("hello", ANN)
    talk.says("STOP ALL", ELSEWHERE)
    assert talk.is_open(ANN)
    assert not talk.is_open(ELSEWHERE)


def test_a_stop_with_a_time_that_cannot_be_stops_after_what_came_before_it(
    talk: Conversation,
) -> None:
    talk.says("hello there, how are you")
    talk.pass_minutes(1)
    talk.says("STOP", flags=[Flag.TIMESTAMP_IMPLAUSIBLE.value])
    assert not talk.is_open(ANN)
