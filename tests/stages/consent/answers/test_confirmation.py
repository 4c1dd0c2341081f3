"""Confirmations (G7.1.1, G7.2): one for each stop, from the right number, in time."""

from datetime import timedelta

import pytest

from pipeline.records import GateRule, Outcome
from pipeline.stages.consent.decide import consent_due_at
from tests.support.conversation import Conversation, mt
from tests.support.rented_numbers import (
    ANN,
    BILLED,
    BOB,
    CODE,
    CUSTOM,
    HANDSET,
    INSIDE,
    LINKED,
    NOON,
    PREMIUM,
    PREMIUM_VMN,
    SHARED,
    STRICT,
    directory_from,
)

STOPPED = ("stopped", "stopped")


@pytest.fixture
def talk() -> Conversation:
    """A handset that has sent nothing yet."""
    return Conversation()


def default_text(number: str) -> str:
    """The words of G7.1.1, with the number texted."""
    return f"You will no longer receive messages from the short code {number}"


def test_the_default_text_goes_out_before_the_six_hours_end(talk: Conversation) -> None:
    talk.says("STOP")
    talk.tick(344)
    assert not talk.commands
    talk.tick(1)
    [command] = talk.commands
    assert command.text == default_text(ANN)
    assert (command.purpose, command.sender_id, command.handset) == ("confirmation", ANN, HANDSET)
    assert (command.at, command.not_after) == (
        NOON + timedelta(minutes=345),
        NOON + timedelta(hours=6),
    )
    assert command.mo_message_id == "STOP@120000"
    assert command.mo
    change = talk.changes[-1]
    assert (change.state, change.gateway_state, change.rule) == (*STOPPED, "confirmed")
    assert change.mo_message_id == "STOP@120000"
    assert change.at == NOON + timedelta(minutes=345)
    talk.tick(600)
    assert len(talk.commands) == 1
    assert len(talk.changes) == 2


def test_the_row_says_when_the_confirmation_is_due(talk: Conversation) -> None:
    [change] = talk.says("STOP").changes
    assert change.confirmation_due_at == NOON + timedelta(minutes=345) == consent_due_at(talk.row)
    assert change.confirmation_deadline == NOON + timedelta(hours=6)


@pytest.mark.parametrize(
    ("late", "from_gateway_time"),
    [(0, True), (1, True), (254, True), (254.1, False), (255, False), (60 * 24 * 20, False)],
)
def test_the_window_starts_at_the_gateway_time_of_a_retry_else_at_receipt(
    talk: Conversation, late: float, from_gateway_time: bool
) -> None:
    [change] = talk.says("STOP", late=late).changes
    start = NOON - timedelta(minutes=late) if from_gateway_time else NOON
    assert change.confirmation_deadline == start + timedelta(hours=6)
    assert change.at == NOON - timedelta(minutes=late)


def test_the_lead_can_be_set() -> None:
    talk = Conversation(lead=timedelta(minutes=60))
    talk.says("STOP")
    assert consent_due_at(talk.row) == NOON + timedelta(hours=5)


def test_past_the_deadline_the_gateway_has_confirmed_and_nothing_is_sent(
    talk: Conversation,
) -> None:
    talk.says("STOP")
    talk.pass_minutes(500)
    talk.tick_once()
    assert not talk.commands
    change = talk.changes[-1]
    assert (change.state, change.gateway_state, change.rule) == (*STOPPED, "gateway-confirmed")
    assert change.at == NOON + timedelta(hours=6)
    assert change.recorded_at == NOON + timedelta(minutes=500)


def test_a_message_that_finds_the_deadline_past_says_what_the_gateway_did(
    talk: Conversation,
) -> None:
    talk.says("STOP")
    talk.pass_minutes(400)
    confirmed, opened = talk.says("hello").changes
    assert (confirmed.at - NOON, confirmed.rule) == (timedelta(hours=6), "gateway-confirmed")
    assert (opened.at - NOON, opened.rule) == (timedelta(minutes=400), "re-enabled")
    assert not talk.commands


def test_a_re_enabling_message_cancels_the_confirmation(talk: Conversation) -> None:
    talk.says("STOP")
    talk.tick(340)
    talk.says("hello")
    assert consent_due_at(talk.row) is None
    talk.tick(600)
    assert not talk.commands


def test_a_stop_in_a_stopped_scope_is_not_confirmed_again(talk: Conversation) -> None:
    talk.says("STOP")
    talk.tick(100)
    talk.says("END")
    talk.tick(300)
    talk.says("QUIT")
    talk.tick(1000)
    assert [c.mo_message_id for c in talk.commands] == ["STOP@120000"]


def test_each_stop_after_a_re_enabling_is_confirmed(talk: Conversation) -> None:
    for _ in range(3):
        talk.says("STOP")
        talk.tick(350)
        talk.says("hello")
        talk.tick(1)
    assert len(talk.commands) == 3
    assert len({c.command_id for c in talk.commands}) == 3


class TestOfTheApplication:
    """The application's own confirmation, marked `confirms_opt_out`."""

    def test_it_passes_while_a_confirmation_is_due_and_ends_it(self) -> None:
        talk = Conversation()
        talk.says("STOP")
        talk.tick(60)
        [command] = talk.asks(mt("You are off", confirms_opt_out=True)).commands
        assert (command.purpose, command.text, command.sender_id) == (
            "confirmation",
            "You are off",
            ANN,
        )
        assert command.mo_message_id == "STOP@120000"
        assert command.not_after == NOON + timedelta(hours=6)
        assert talk.states() == STOPPED
        assert talk.changes[-1].rule == "confirmed"
        talk.tick(600)
        assert len(talk.commands) == 1

    def test_a_second_one_is_not_due(self) -> None:
        talk = Conversation()
        talk.says("STOP")
        talk.asks(mt(confirms_opt_out=True))
        [rejection] = talk.asks(mt(confirms_opt_out=True, request_id="r-2")).rejections
        assert rejection.rule == GateRule.CONFIRMATION_NOT_DUE
        assert (rejection.mo_message_id, rejection.scope) == ("STOP@120000", ANN)

    @pytest.mark.parametrize(
        ("minutes", "passes"), [(0, True), (344.9, True), (345, False), (400, False)]
    )
    def test_it_is_not_due_once_the_default_text_is(self, minutes: float, passes: bool) -> None:
        talk = Conversation()
        talk.says("STOP")
        talk.pass_minutes(minutes)
        assert bool(talk.asks(mt(confirms_opt_out=True)).commands) == passes

    @pytest.mark.parametrize("sender", [BOB, "ACME"])
    def test_it_is_not_due_from_another_sender(self, sender: str) -> None:
        talk = Conversation()
        talk.says("STOP")
        [rejection] = talk.asks(mt(sender=sender, confirms_opt_out=True)).rejections
        assert rejection.rule == GateRule.CONFIRMATION_NOT_DUE

    def test_it_is_not_due_where_nothing_was_stopped(self) -> None:
        talk = Conversation()
        talk.says("hello")
        [rejection] = talk.asks(mt(confirms_opt_out=True)).rejections
        assert rejection.rule == GateRule.CONFIRMATION_NOT_DUE
        assert rejection.caused_at is None

    def test_unmarked_it_is_an_mt_like_any_other(self) -> None:
        talk = Conversation()
        talk.says("STOP")
        [rejection] = talk.asks(mt("You are off")).rejections
        assert rejection.rule == GateRule.OPTED_OUT

    def test_any_number_of_a_range_may_confirm_for_it(self) -> None:
        talk = Conversation()
        talk.says("STOP", INSIDE)
        assert talk.asks(mt(sender="27600000101", confirms_opt_out=True)).commands

    def test_without_a_sender_it_goes_out_from_the_number_last_texted(self) -> None:
        talk = Conversation()
        talk.says("STOP", BILLED)
        [command] = talk.asks(mt(sender=None, confirms_opt_out=True)).commands
        assert command.sender_id == LINKED


class TestAfterFailure:
    """The default text follows a confirmation that failed for good before its deadline."""

    @pytest.fixture
    def talk(self) -> Conversation:
        """A stop that the application confirmed an hour later."""
        talk = Conversation()
        talk.says("STOP")
        talk.tick(60)
        talk.asks(mt("You are off", confirms_opt_out=True))
        return talk

    def test_the_default_text_follows_once(self, talk: Conversation) -> None:
        talk.tick(5)
        [command] = talk.fails(talk.commands[0]).commands
        assert (command.text, command.sender_id) == (default_text(ANN), ANN)
        assert command.not_after == NOON + timedelta(hours=6)
        assert command.command_id != talk.commands[0].command_id
        assert not talk.fails(talk.commands[0]).commands
        assert not talk.fails(command).commands
        talk.tick(600)
        assert len(talk.commands) == 2
        assert talk.states() == STOPPED

    @pytest.mark.parametrize(
        ("outcome", "fields"),
        [
            pytest.param(Outcome.UNKNOWN, {}, id="unknown"),
            pytest.param(Outcome.SUBMITTED, {}, id="submitted"),
            pytest.param(Outcome.FAILED, {"final": False}, id="to-be-tried-again"),
            pytest.param(Outcome.FAILED, {"command_id": "another"}, id="of-another-command"),
        ],
    )
    def test_nothing_follows_any_other_result(
        self, talk: Conversation, outcome: Outcome, fields: dict[str, object]
    ) -> None:
        assert not talk.fails(talk.commands[0], outcome, **fields).commands

    def test_nothing_follows_after_the_deadline(self, talk: Conversation) -> None:
        talk.tick(300)
        assert not talk.fails(talk.commands[0]).commands

    def test_nothing_follows_a_re_enabling(self, talk: Conversation) -> None:
        talk.says("hello")
        assert not talk.fails(talk.commands[0]).commands

    def test_nothing_follows_for_a_stop_that_a_later_one_has_replaced(
        self, talk: Conversation
    ) -> None:
        talk.says("hello")
        talk.pass_minutes(1)
        talk.says("STOP")  # awaits a confirmation of its own
        assert not talk.fails(talk.commands[0]).commands
        talk.tick(400)
        assert [c.mo_message_id for c in talk.commands] == ["STOP@120000", "STOP@130100"]

    def test_it_is_forgotten_with_its_deadline(self, talk: Conversation) -> None:
        talk.tick(299)
        talk.says("QUIT")
        assert len(talk.row.confirmations) == 1
        talk.pass_minutes(1)
        talk.says("QUIT")
        assert talk.row.confirmations == []

    def test_a_custom_reply_is_followed_by_the_default_text(self) -> None:
        talk = Conversation()
        talk.says("STOP", CUSTOM)
        assert [c.text for c in talk.fails(talk.commands[0]).commands] == [default_text(CUSTOM)]


class TestCustomReply:
    """G7.2.1: a custom reply goes at once, and is the confirmation."""

    def test_ours_goes_at_once(self) -> None:
        talk = Conversation()
        due, confirmed = talk.says("Stop!", CUSTOM).changes
        [command] = talk.commands
        assert (command.text, command.purpose) == ("You are off the list.", "custom-reply")
        assert (command.sender_id, command.at, command.mo_message_id) == (
            CUSTOM,
            NOON,
            "Stop!@120000",
        )
        assert (due.state, due.rule) == ("confirmation-due", "stop-word")
        assert (confirmed.state, confirmed.gateway_state, confirmed.rule) == (*STOPPED, "confirmed")
        talk.tick(600)
        assert len(talk.commands) == 1

    def test_enabled_without_a_text_it_is_the_default_at_once(self) -> None:
        talk = Conversation()
        talk.says("END", CUSTOM)
        assert [(c.text, c.purpose) for c in talk.commands] == [
            (default_text(CUSTOM), "confirmation")
        ]

    def test_the_gateways_own_is_recorded_though_ours_awaits_an_earlier_confirmation(self) -> None:
        """HELP has re-enabled the gateway's side alone, so the gateway answers the next stop."""
        talk = Conversation()
        for text in ("CANCEL", "HELP", "QUIT"):
            talk.pass_minutes(1)
            talk.says(text, CUSTOM)
        assert talk.states(CUSTOM) == STOPPED
        talk.tick(600)
        assert [command.purpose for command in talk.commands] == ["help"]

    def test_the_gateways_own_is_recorded_and_never_sent_by_us(self) -> None:
        talk = Conversation()
        talk.says("QUIT", CUSTOM)
        assert [c.rule for c in talk.changes] == ["stop-word", "gateway-confirmed"]
        assert [c.at for c in talk.changes] == [NOON, NOON]
        assert talk.states(CUSTOM) == STOPPED
        talk.tick(600)
        assert not talk.commands

    @pytest.mark.parametrize("word", ["CANCEL", "UNSUBSCRIBE"])
    def test_not_enabled_or_not_there_the_default_goes_in_time(self, word: str) -> None:
        talk = Conversation()
        talk.says(word, CUSTOM)
        assert not talk.commands
        talk.tick(345)
        assert [c.text for c in talk.commands] == [default_text(CUSTOM)]

    def test_a_repeated_stop_has_none(self) -> None:
        talk = Conversation()
        talk.says("CANCEL", CUSTOM)
        talk.says("STOP", CUSTOM)
        assert not talk.commands

    def test_a_stop_undone_by_a_newer_message_has_none(self) -> None:
        talk = Conversation()
        talk.says("hello", CUSTOM)
        talk.says("STOP", CUSTOM, late=5)
        assert not talk.commands


class TestFromTheRightNumber:
    """The number texted confirms, except a number that is billed to the handset."""

    @pytest.mark.parametrize("number", [ANN, CODE, INSIDE, SHARED, STRICT, "27119998888"])
    def test_the_number_texted(self, number: str) -> None:
        talk = Conversation()
        talk.says("STOP", number)
        talk.tick(345)
        assert [(c.sender_id, c.text) for c in talk.commands] == [(number, default_text(number))]

    def test_the_keyword_last_used_of_those_a_bare_stop_word_stops(self) -> None:
        talk = Conversation()
        talk.says("game on", SHARED)
        talk.says("fun, too", SHARED)
        talk.says("STOP", SHARED)
        talk.tick(400)
        assert [c.keyword for c in talk.commands] == ["FUN"]
        assert talk.states(f"{SHARED}/FUN") == talk.states(f"{SHARED}/GAME") == STOPPED

    def test_a_linked_number_confirms_only_for_one_that_is_billed(self) -> None:
        numbers = f'[[number]]\nkind = "vmn"\nnumber = "{LINKED}"\n'
        talk = Conversation(
            directory_from(
                f'{numbers}[[number]]\nkind = "vmn"\nnumber = "{ANN}"\nlinked = "{LINKED}"\n'
            )
        )
        talk.says("STOP")
        talk.tick(345)
        assert [c.sender_id for c in talk.commands] == [ANN]

    def test_the_linked_number_for_one_billed_to_the_handset(self) -> None:
        talk = Conversation()
        talk.says("STOP", BILLED)
        talk.tick(345)
        assert [(c.sender_id, c.text) for c in talk.commands] == [(LINKED, default_text(BILLED))]

    @pytest.mark.parametrize(("sender", "passes"), [(LINKED, True), (BILLED, False), (ANN, False)])
    def test_the_application_confirms_from_the_linked_number(
        self, sender: str, passes: bool
    ) -> None:
        talk = Conversation()
        talk.says("STOP", BILLED)
        decision = talk.asks(mt(sender=sender, confirms_opt_out=True))
        assert bool(decision.commands) == passes
        assert talk.states(BILLED) == (STOPPED if passes else ("confirmation-due",) * 2)

    @pytest.mark.parametrize("number", [PREMIUM, PREMIUM_VMN])
    def test_none_for_a_premium_number(self, number: str) -> None:
        talk = Conversation()
        [change] = talk.says("STOP", number).changes
        assert (change.state, change.gateway_state) == ("stopped", "open")
        assert consent_due_at(talk.row) is None
        talk.tick(600)
        assert not talk.commands
        talk.says("hello", number)
        assert talk.states(number) == ("open", "open")


@pytest.mark.parametrize("number", [ANN, CUSTOM])
def test_none_goes_to_a_number_of_ours(talk: Conversation, number: str) -> None:
    said = {"handset": BOB}
    talk.says("STOP", number, **said)
    assert talk.states(number) == ("confirmation-due", "confirmation-due")
    talk.tick(400)
    assert talk.states(number) == STOPPED
    talk.says("HELP", CUSTOM, **said)
    assert not talk.commands
    assert [c.rule for c in talk.changes if c.scope == number][:2] == [
        "stop-word",
        "gateway-confirmed",
    ]


class TestHelp:
    """G7.2.1: HELP gets the custom reply if enabled and defined, else nothing; the reply passes."""

    def test_the_custom_reply_answers_even_a_stopped_handset(self) -> None:
        talk = Conversation()
        talk.says("UNSUBSCRIBE", CUSTOM)
        talk.says("Help!", CUSTOM)
        [command] = talk.commands
        assert (command.purpose, command.text, command.sender_id) == (
            "help",
            "Call 0800 1234",
            CUSTOM,
        )
        assert command.mo_message_id == "Help!@120000"

    def test_a_shared_short_code_answers_with_the_keyword_last_used(self) -> None:
        talk = Conversation(
            directory_from(
                f'[[number]]\nkind = "shared-short-code"\nnumber = "{SHARED}"\n'
                'keywords = ["FUN", "GAME"]\ncustom_reply.HELP.text = "Ask us"\n'
            )
        )
        talk.says("game on", SHARED)
        talk.says("help", SHARED)
        assert [(c.text, c.sender_id, c.keyword) for c in talk.commands] == [
            ("Ask us", SHARED, "GAME")
        ]

    @pytest.mark.parametrize(
        "fields",
        [
            pytest.param('custom_reply.HELP.text = "x"\npremium = true', id="never-sends"),
            pytest.param(
                'custom_reply.HELP = {text = "x", sent_by = "gateway"}', id="the-gateway-does"
            ),
            pytest.param('custom_reply.HELP = {text = "x", enabled = false}', id="not-enabled"),
            pytest.param("custom_reply.HELP = {enabled = true}", id="without-a-text"),
        ],
    )
    def test_a_reply_that_is_not_ours_to_send_is_not_sent(self, fields: str) -> None:
        numbers = f'[[number]]\nkind = "vmn"\nnumber = "{ANN}"\n{fields}\n'
        talk = Conversation(directory_from(numbers))
        talk.says("HELP")
        assert not talk.commands

    def test_it_goes_out_from_the_linked_number(self) -> None:
        talk = Conversation()
        talk.says("HELP", BILLED)
        assert [(c.purpose, c.sender_id) for c in talk.commands] == [("help", LINKED)]

    @pytest.mark.parametrize(
        ("text", "number", "late"),
        [
            pytest.param("HELP", ANN, 0, id="none-defined"),
            pytest.param("HELP me", CUSTOM, 0, id="not-the-whole-text"),
            pytest.param("HELP", "27119998888", 0, id="number-not-listed"),
            pytest.param("HELP", CUSTOM, 60 * 24, id="a-day-old"),
        ],
    )
    def test_nothing_else_is_answered(self, text: str, number: str, late: float) -> None:
        talk = Conversation()
        talk.says(text, number, late=late)
        assert not talk.commands
