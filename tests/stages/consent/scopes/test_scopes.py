"""The scope of a stop (G7.1.1, G7.1.2, G8.4): ranges, shared codes, accounts, strict numbers."""

from datetime import timedelta

import pytest

from pipeline.records import Flag, GateRule
from pipeline.stages.consent.decide import consent_due_at
from pipeline.stages.consent.operator import OperatorOrder, take_order
from tests.support.conversation import Conversation, mt
from tests.support.rented_numbers import (
    ANN,
    BOB,
    CODE,
    ELSEWHERE,
    FIRST,
    HANDSET,
    INSIDE,
    LAST,
    NOON,
    NUMBERS,
    PREMIUM,
    SHARED,
    STRICT,
    directory_from,
)

DUE = ("confirmation-due", "confirmation-due")
STOPPED = ("stopped", "stopped")
OPEN = ("open", "open")
RANGE = f"{FIRST}-{LAST}"
FUN, GAME = f"{SHARED}/FUN", f"{SHARED}/GAME"


@pytest.fixture
def talk() -> Conversation:
    """A handset that has sent nothing yet."""
    return Conversation()


class TestRange:
    """G8.4: a tagged range is one number to the system."""

    def test_a_stop_at_one_number_stops_the_range(self, talk: Conversation) -> None:
        [change] = talk.says("STOP", INSIDE).changes
        assert (change.scope_kind, change.scope, change.number) == ("range", RANGE, INSIDE)
        assert not any(talk.is_open(number) for number in (FIRST, INSIDE, LAST))
        assert talk.is_open(ANN)

    def test_a_message_to_any_of_its_numbers_re_enables_it(self, talk: Conversation) -> None:
        talk.says("STOP", INSIDE)
        [change] = talk.says("hello", LAST).changes
        assert (change.scope, change.number) == (RANGE, LAST)
        assert talk.is_open(FIRST)


ALONE = f'[[number]]\nnumber = "{INSIDE}"\nkind = "vmn"\n'


class TestMovedNumbers:
    """A number that moves into or out of a range keeps its stops."""

    def test_into_a_range(self) -> None:
        talk = Conversation(directory_from(""))
        talk.says("STOP", INSIDE)
        talk.directory = directory_from(NUMBERS)
        assert not talk.is_open(INSIDE)
        assert talk.is_open(FIRST)
        talk.says("hello", FIRST)
        assert not talk.is_open(INSIDE)
        talk.says("hello", INSIDE)
        assert talk.is_open(INSIDE)

    def test_out_of_a_range(self) -> None:
        talk = Conversation()
        talk.says("STOP", INSIDE)
        talk.directory = directory_from(f'[[number]]\nnumber = "{INSIDE}"\nkind = "vmn"\n')
        assert not talk.is_open(INSIDE)
        talk.says("hello", INSIDE)
        assert talk.is_open(INSIDE)

    def test_with_a_range_that_grows(self) -> None:
        talk = Conversation()
        talk.says("STOP", INSIDE)
        talk.directory = directory_from(
            '[[number]]\nkind = "tagged-range"\nfirst = "27600000100"\nlast = "27600000299"\n'
        )
        assert not talk.is_open(FIRST)
        assert talk.is_open("27600000250")
        talk.says("hello", LAST)
        assert talk.is_open(INSIDE)

    def test_out_of_a_range_where_it_had_been_by_itself_before(self) -> None:
        talk = Conversation(directory_from(ALONE))
        talk.says("hello", INSIDE)
        talk.pass_minutes(1)
        talk.directory = directory_from(NUMBERS)
        talk.says("STOP", FIRST)
        talk.directory = directory_from(ALONE)
        [rejection] = talk.asks(mt(sender=INSIDE)).rejections
        assert (rejection.rule, rejection.scope) == (GateRule.OPTED_OUT, RANGE)
        talk.pass_minutes(1)
        told = [(c.scope, c.state) for c in talk.says("hello", INSIDE).changes]
        assert told == [(INSIDE, "confirmation-due"), (INSIDE, "open")]
        [command] = talk.asks(mt(sender=INSIDE)).commands
        assert [scope.scope for scope in command.scopes] == [INSIDE, "main"]
        talk.directory = directory_from(NUMBERS)
        assert not talk.is_open(FIRST)

    def test_back_into_a_range_it_was_in_before(self) -> None:
        halves = "".join(
            f'[[number]]\nkind = "tagged-range"\nfirst = "{first}"\nlast = "{last}"\n'
            for first, last in ((FIRST, "27600000149"), (INSIDE, LAST))
        )
        talk = Conversation()
        talk.says("hello", FIRST)
        talk.pass_minutes(1)
        talk.directory = directory_from(halves)
        talk.says("STOP", INSIDE)
        talk.directory = directory_from(NUMBERS)
        assert not talk.is_open(INSIDE)
        assert talk.is_open(FIRST)
        talk.pass_minutes(1)
        talk.says("hello", FIRST)  # the range is one number now: it re-enables all of it
        assert talk.is_open(INSIDE)
        assert talk.states(RANGE) == OPEN

    def test_a_number_of_another_length_was_never_in_the_range(self) -> None:
        talk = Conversation()
        talk.says("STOP", INSIDE)
        talk.pass_minutes(1)
        assert not talk.says("hello", INSIDE[:-1]).changes

    def test_a_stop_made_again_after_the_move_counts(self) -> None:
        talk = Conversation(directory_from(ALONE))
        talk.says("hello", INSIDE)
        talk.directory = directory_from(NUMBERS)
        talk.says("STOP", FIRST)
        talk.directory = directory_from(ALONE)
        talk.pass_minutes(1)
        talk.says("hello", INSIDE)
        talk.pass_minutes(1)
        talk.says("STOP", INSIDE)
        assert not talk.is_open(INSIDE)
        talk.tick(400)
        assert talk.states(INSIDE) == STOPPED

    def test_a_code_that_becomes_a_shared_one(self) -> None:
        talk = Conversation(directory_from(f'[[number]]\nnumber = "{SHARED}"\nkind = "vmn"\n'))
        talk.says("STOP", SHARED)
        talk.directory = directory_from(NUMBERS)
        assert not talk.is_open(SHARED, keyword="fun")
        talk.pass_minutes(1)
        talk.says("fun hello", SHARED)
        assert talk.is_open(SHARED, keyword="fun")
        assert not talk.is_open(SHARED, keyword="game")

    def test_a_shared_code_that_becomes_a_number_by_itself(self) -> None:
        talk = Conversation()
        talk.says("STOP fun", SHARED)
        talk.directory = directory_from(f'[[number]]\nnumber = "{SHARED}"\nkind = "vmn"\n')
        assert not talk.is_open(SHARED)
        talk.says("hello", SHARED)
        assert talk.is_open(SHARED)

    def test_the_stops_of_a_grown_range_are_told_of_its_new_scope(self) -> None:
        talk = Conversation()
        talk.says("STOP", INSIDE)
        talk.directory = directory_from(
            '[[number]]\nkind = "tagged-range"\nfirst = "27600000100"\nlast = "27600000299"\n'
        )
        talk.pass_minutes(5)
        told = [(c.scope, c.state) for c in talk.says("hello", LAST).changes]
        grown = "27600000100-27600000299"
        assert told == [(grown, "confirmation-due"), (grown, "open")]


class TestSharedShortCode:
    """G7.1.2: the keyword before or after the stop word stops that keyword."""

    @pytest.mark.parametrize("text", ["STOP fun", "fun STOP", "Fun: quit!", "  CANCEL, FUN."])
    def test_a_keyword_stop_stops_the_keyword(self, talk: Conversation, text: str) -> None:
        [change] = talk.says(text, SHARED).changes
        assert (change.scope_kind, change.scope, change.rule) == ("keyword", FUN, "keyword-stop")
        assert not talk.is_open(SHARED, keyword="Fun")
        assert talk.is_open(SHARED, keyword="game")

    @pytest.mark.parametrize("word", ["STOP", "quit."])
    def test_a_bare_stop_word_stops_every_keyword_of_ours(
        self, talk: Conversation, word: str
    ) -> None:
        changes = talk.says(word, SHARED).changes
        assert [(c.scope, c.state, c.rule) for c in changes] == [
            (FUN, "confirmation-due", "stop-word"),
            (GAME, "confirmation-due", "stop-word"),
        ]
        talk.tick(345)
        assert len(talk.commands) == 1

    def test_a_bare_stop_word_reaches_keywords_of_an_earlier_directory(self) -> None:
        talk = Conversation()
        talk.says("game on", SHARED)
        talk.directory = directory_from(
            f'[[number]]\nnumber = "{SHARED}"\nkind = "shared-short-code"\nkeywords = ["FUN"]\n'
        )
        assert [c.scope for c in talk.says("STOP", SHARED).changes] == [GAME, FUN]

    @pytest.mark.parametrize(
        "text", ["STOP chess", "chess STOP", "fun fun STOP", "STOP funny", "no fun, please stop it"]
    )
    def test_any_other_text_with_a_stop_word_is_flagged(
        self, talk: Conversation, text: str
    ) -> None:
        decision = talk.says(text, SHARED)
        assert not decision.changes
        assert decision.message is not None
        assert decision.message.flags == [Flag.REVIEW]

    def test_a_message_with_the_keyword_re_enables_it_alone(self, talk: Conversation) -> None:
        talk.says("STOP", SHARED)
        assert not talk.says("hello", SHARED).changes
        assert not talk.says("funny hello", SHARED).changes
        assert [c.scope for c in talk.says("hello, fun!", SHARED).changes] == [FUN]
        assert talk.is_open(SHARED, keyword="FUN")
        assert not talk.is_open(SHARED, keyword="GAME")

    def test_a_keyword_stop_is_confirmed_from_the_code(self, talk: Conversation) -> None:
        talk.says("STOP game", SHARED)
        talk.tick(345)
        [command] = talk.commands
        assert (command.sender_id, command.keyword) == (SHARED, "GAME")
        assert [s.scope for s in command.scopes] == [GAME]

    def test_a_command_is_judged_by_keyword_and_account(self, talk: Conversation) -> None:
        [command] = talk.asks(mt(sender=SHARED, keyword=" fun ")).commands
        assert command.keyword == "FUN"
        assert [(s.scope_kind, s.scope) for s in command.scopes] == [
            ("keyword", FUN),
            ("account", "main"),
        ]

    def test_the_keyword_last_used_stands_for_one_not_given(self, talk: Conversation) -> None:
        talk.says("FUN hello", SHARED)
        talk.pass_minutes(5)
        talk.says("GAME on", SHARED, late=10)
        assert talk.asks(mt(sender=SHARED)).commands[0].keyword == "FUN"
        talk.says("quit game", SHARED)
        [rejection] = talk.asks(mt(sender=SHARED)).rejections
        assert (rejection.rule, rejection.scope) == (GateRule.OPTED_OUT, GAME)

    @pytest.mark.parametrize("keyword", [None, "chess", ""])
    def test_without_a_keyword_of_ours_one_is_needed(
        self, talk: Conversation, keyword: str | None
    ) -> None:
        talk.says("hello", SHARED)
        [rejection] = talk.asks(mt(sender=SHARED, keyword=keyword)).rejections
        assert rejection.rule == GateRule.KEYWORD_NEEDED

    def test_the_application_confirms_a_keyword_stop(self, talk: Conversation) -> None:
        talk.says("STOP fun", SHARED)
        wrong = mt(sender=SHARED, keyword="game", confirms_opt_out=True)
        assert talk.asks(wrong).rejections[0].rule == GateRule.CONFIRMATION_NOT_DUE
        assert talk.asks(mt(sender=SHARED, keyword="fun", confirms_opt_out=True)).commands
        assert talk.states(FUN) == STOPPED


class TestStopAll:
    """STOP ALL, STOPALL and STOP STOP stop every number and keyword of the account."""

    @pytest.mark.parametrize(
        "text", ["STOP ALL", "stopall", "Stop Stop", "stop, all!", "STOP  STOP"]
    )
    @pytest.mark.parametrize("number", [ANN, CODE, INSIDE, SHARED, STRICT])
    def test_at_whatever_number_it_arrives(
        self, talk: Conversation, text: str, number: str
    ) -> None:
        [change] = talk.says(text, number).changes
        assert (change.scope_kind, change.scope, change.rule) == ("account", "main", "stop-all")
        assert change.number == number
        for sender in (ANN, BOB, CODE, FIRST, "ACME", None):
            assert not talk.is_open(sender)
        assert not talk.is_open(SHARED, keyword="fun")
        assert talk.is_open(ELSEWHERE)

    def test_the_rejection_names_the_account(self, talk: Conversation) -> None:
        talk.says("hello", BOB)
        talk.says("STOP ALL", ANN)
        for sender in (ANN, BOB, None, "ACME"):
            [rejection] = talk.asks(mt(sender=sender)).rejections
            assert (rejection.scope_kind, rejection.scope) == ("account", "main")
            assert rejection.mo_message_id == "STOP ALL@120000"

    def test_a_message_to_a_number_re_enables_that_number(self, talk: Conversation) -> None:
        talk.says("STOP ALL", ANN)
        talk.tick(400)
        [change] = talk.says("hello", BOB).changes
        assert (change.scope, change.previous_state, change.state) == (BOB, "stopped", "open")
        assert talk.is_open(BOB)
        for sender in (ANN, "ACME"):
            assert not talk.is_open(sender)
        talk.says("fun", SHARED)
        assert talk.is_open(SHARED, keyword="fun")
        assert not talk.is_open(SHARED, keyword="game")

    def test_it_takes_over_what_is_due(self, talk: Conversation) -> None:
        talk.says("STOP", ANN)
        talk.tick(10)
        talk.says("STOP fun", SHARED)
        talk.tick(10)
        talk.says("STOP ALL", BOB)
        assert consent_due_at(talk.row) == NOON + timedelta(minutes=345)  # of the first of them
        talk.tick(1000)
        [command] = talk.commands
        assert (command.sender_id, command.mo_message_id) == (BOB, "STOP ALL@122000")
        assert {s.scope for s in command.scopes} == {"main", ANN, FUN}
        assert talk.states(ANN) == talk.states(FUN) == talk.states("main") == STOPPED

    def test_a_stop_after_it_is_not_confirmed_again(self, talk: Conversation) -> None:
        talk.says("STOP ALL", ANN)
        talk.tick(10)
        assert not talk.says("STOP", BOB).changes
        talk.tick(1000)
        assert len(talk.commands) == 1

    def test_a_message_to_another_number_does_not_cancel_its_confirmation(
        self, talk: Conversation
    ) -> None:
        talk.says("STOP ALL", ANN)
        talk.says("hello", BOB)
        talk.tick(345)
        assert [c.sender_id for c in talk.commands] == [ANN]
        assert talk.is_open(BOB)

    def test_a_message_to_the_number_that_would_confirm_cancels_it(
        self, talk: Conversation
    ) -> None:
        talk.says("STOP ALL", ANN)
        talk.says("hello", ANN)
        assert consent_due_at(talk.row) == NOON + timedelta(hours=6)  # the gateway's, of all else
        talk.tick(1000)
        assert not talk.commands
        assert talk.changes[-1].rule == "gateway-confirmed"
        assert talk.states("main") == STOPPED
        assert talk.is_open(ANN)

    def test_at_a_shared_code_it_is_confirmed_while_a_keyword_stays_stopped(
        self, talk: Conversation
    ) -> None:
        talk.says("STOP ALL", SHARED)
        talk.says("fun", SHARED)
        talk.tick(345)
        assert [c.sender_id for c in talk.commands] == [SHARED]

    def test_at_a_shared_code_it_is_cancelled_once_every_keyword_is_re_enabled(
        self, talk: Conversation
    ) -> None:
        talk.says("STOP ALL", SHARED)
        talk.says("fun game", SHARED)
        talk.tick(1000)
        assert not talk.commands

    def test_a_second_one_stops_again_what_was_re_enabled(self, talk: Conversation) -> None:
        talk.says("STOP ALL", ANN)
        talk.tick(400)
        talk.says("hello", ANN)
        assert [(c.scope, c.state) for c in talk.says("STOP ALL", ANN).changes] == [
            (ANN, "confirmation-due")
        ]
        talk.tick(400)
        assert len(talk.commands) == 2

    def test_the_application_confirms_it_from_any_number(self, talk: Conversation) -> None:
        talk.says("STOP ALL", ANN)
        assert talk.asks(mt(sender=BOB, confirms_opt_out=True)).commands
        assert talk.states("main") == STOPPED
        talk.tick(400)
        assert len(talk.commands) == 1

    def test_it_is_confirmed_once_whatever_comes_late(self, talk: Conversation) -> None:
        talk.says("STOP ALL", ANN)
        talk.tick(400)
        talk.says("hello", ANN)
        talk.tick(1)
        talk.says("STOP ALL", ANN)
        talk.tick(400)
        assert len(talk.commands) == 2
        talk.says("hello", BOB, late=401)  # between the two: the second stopped this number, too
        assert talk.states(BOB) == STOPPED
        talk.tick(400)
        assert len(talk.commands) == 2

    def test_at_a_premium_number_ours_stops_all_the_same(self, talk: Conversation) -> None:
        [change] = talk.says("STOP ALL", PREMIUM).changes
        assert (change.scope, change.state, change.gateway_state) == ("main", "stopped", "open")
        assert not talk.is_open(ANN)
        talk.tick(1000)
        assert not talk.commands

    def test_the_gateway_does_not_block_a_premium_number(self, talk: Conversation) -> None:
        talk.says("hello", PREMIUM)
        talk.says("STOP ALL", ANN)
        assert talk.states(PREMIUM) == ("confirmation-due", "open")

    def test_late_it_is_about_the_past_where_messages_came_since(self) -> None:
        talk = Conversation()
        talk.says("hello", ANN)
        talk.pass_minutes(10)
        changes = talk.says("STOP ALL", BOB, late=20).changes
        assert [(c.scope, c.state, c.at - NOON) for c in changes] == [
            ("main", "confirmation-due", timedelta(minutes=-10)),
            (ANN, "open", timedelta()),
        ]
        assert talk.is_open(ANN)
        assert not talk.is_open(BOB)

    def test_late_it_counts_where_much_was_said_since_and_nothing_re_enabled(self) -> None:
        talk = Conversation()
        talk.says("STOP", STRICT)
        talk.says("hello", STRICT)
        for number in range(40):  # more than is remembered
            talk.pass_minutes(1)
            talk.says("QUIT" if number % 2 else "HELP", STRICT)
        talk.says("hello", STRICT)
        talk.pass_minutes(1)
        for _ in range(40):
            talk.pass_minutes(1)
            order = OperatorOrder(
                handset=HANDSET, stops=False, actor="eve", reason="x", number=STRICT
            )
            talk._take(take_order(talk.row, order, directory=talk.directory, now=talk.now))
        assert talk.is_open(STRICT)
        talk.says("STOP ALL", BOB, late=39.5)
        assert talk.states("main") == DUE
        assert not talk.is_open(STRICT)
        talk.tick(1000)
        assert len(talk.commands) == 1


class TestStrict:
    """With `strict`, only START, UNSTOP or YES re-enable our side; the gateway's side as before."""

    @pytest.mark.parametrize("text", ["START", "unstop!", "Yes."])
    def test_a_start_word_re_enables_both(self, talk: Conversation, text: str) -> None:
        talk.says("STOP", STRICT)
        talk.says(text, STRICT)
        assert talk.states(STRICT) == OPEN

    @pytest.mark.parametrize("text", ["hello", "yes please", "START again"])
    def test_other_messages_re_enable_the_gateways_alone(
        self, talk: Conversation, text: str
    ) -> None:
        talk.says("STOP", STRICT)
        talk.says(text, STRICT)
        assert talk.states(STRICT) == ("confirmation-due", "open")
        assert not talk.is_open(STRICT)
        talk.tick(400)
        assert len(talk.commands) == 1
        assert talk.states(STRICT) == ("stopped", "open")

    def test_a_stop_the_gateway_must_confirm_again_is_confirmed(self, talk: Conversation) -> None:
        talk.says("STOP", STRICT)
        talk.tick(400)
        talk.says("hello", STRICT)
        talk.tick(1)
        [change] = talk.says("STOP", STRICT).changes
        assert (change.state, change.gateway_state) == ("stopped", "confirmation-due")
        talk.tick(400)
        assert len(talk.commands) == 2
        assert talk.states(STRICT) == STOPPED

    def test_on_a_shared_code_the_keyword_goes_with_it(self) -> None:
        talk = Conversation(
            directory_from(
                f'[[number]]\nnumber = "{SHARED}"\nkind = "shared-short-code"\n'
                'keywords = ["FUN"]\nstrict = true\n'
            )
        )
        talk.says("STOP", SHARED)
        talk.says("START", SHARED)
        assert talk.states(FUN) == DUE
        talk.says("fun again", SHARED)
        assert talk.states(FUN) == ("confirmation-due", "open")
        talk.says("START fun", SHARED)
        assert talk.states(FUN) == OPEN
