"""Stops that did not come by SMS, and the sender's last check."""

from datetime import timedelta
from typing import Any

import pytest

from pipeline.records import ConsentRequest, GateRule, Reason, Rejected
from pipeline.stages.consent.operator import (
    OperatorOrder,
    order_from_request,
    order_key,
    take_order,
)
from pipeline.stages.sending.last_look import refuse_before_sending
from pipeline.stages.sending.row import open_command
from tests.support.conversation import Conversation, mt
from tests.support.rented_numbers import (
    ANN,
    BOB,
    DIRECTORY,
    ELSEWHERE,
    HANDSET,
    NOON,
    PREMIUM,
    SHARED,
)


@pytest.fixture
def talk() -> Conversation:
    """A handset that has sent nothing yet."""
    return Conversation()


def order(talk: Conversation, *, stops: bool = True, **fields: str) -> None:
    """An operator's order, carried out."""
    given = {"handset": HANDSET, "stops": stops, "actor": "eve", "reason": "letter of 2 March"}
    wanted = OperatorOrder(**(given | fields))
    talk._take(take_order(talk.row, wanted, directory=talk.directory, now=talk.now))


def test_an_order_stops_ours_alone_and_says_who_and_why(talk: Conversation) -> None:
    order(talk, number=ANN)
    [change] = talk.changes
    assert (change.scope, change.rule) == (ANN, "operator")
    assert (change.state, change.gateway_state) == ("stopped", "open")
    assert (change.actor, change.reason) == ("eve", "letter of 2 March")
    assert (change.mo_message_id, change.number) == ("", "")
    talk.tick(1000)
    assert not talk.commands
    [rejection] = talk.asks(mt()).rejections
    assert (rejection.rule, rejection.mo_message_id) == (GateRule.OPTED_OUT, "")
    assert rejection.caused_at == NOON


def test_an_order_opens_ours_and_never_the_gateways(talk: Conversation) -> None:
    talk.says("STOP")
    talk.tick(400)
    order(talk, number=ANN, stops=False)
    assert talk.states() == ("open", "stopped")
    assert not talk.is_open()
    talk.says("hello")
    assert talk.is_open()


def test_a_message_re_enables_what_an_order_stopped(talk: Conversation) -> None:
    order(talk, number=ANN)
    talk.says("hello")
    assert talk.is_open()


def test_without_a_number_it_is_the_account(talk: Conversation) -> None:
    talk.says("STOP", BOB)
    order(talk)
    assert not talk.is_open(ANN)
    assert not talk.is_open("ACME")
    order(talk, stops=False)
    assert talk.is_open(ANN)
    assert talk.states(BOB) == ("open", "confirmation-due")


def test_an_opened_account_opens_a_premium_number_which_the_gateway_never_blocks(
    talk: Conversation,
) -> None:
    talk.says("STOP ALL", ANN)
    assert not talk.is_open(PREMIUM)
    order(talk, stops=False)
    assert talk.is_open(PREMIUM)
    assert talk.states(PREMIUM) == ("open", "open")
    assert not talk.is_open(ANN)


def test_it_does_so_where_the_stop_comes_late(talk: Conversation) -> None:
    order(talk, stops=False)
    talk.says("STOP ALL", ANN, late=2)
    assert talk.is_open(PREMIUM)
    assert not talk.is_open(ANN)


def test_an_order_is_about_the_account_it_names(talk: Conversation) -> None:
    order(talk, account="other")
    assert talk.is_open(ANN)
    assert not talk.is_open(ELSEWHERE)


def test_on_a_shared_code_it_is_the_keyword_or_all_of_them(talk: Conversation) -> None:
    order(talk, number=SHARED, keyword="fun")
    assert [c.scope for c in talk.changes] == [f"{SHARED}/FUN"]
    order(talk, number=SHARED)
    assert [c.scope for c in talk.changes] == [f"{SHARED}/FUN", f"{SHARED}/GAME"]


def test_a_message_under_review_is_named(talk: Conversation) -> None:
    order(talk, number=ANN, mo_message_id="m-7")
    assert (talk.changes[0].mo_message_id, talk.changes[0].number) == ("m-7", ANN)


class TestBeforeSending:
    """Before each attempt the sender asks the consent state again."""

    def test_an_open_handset_is_sent_to(self, talk: Conversation) -> None:
        [command] = talk.asks(mt()).commands
        assert refuse_before_sending(talk.row, open_command(command), now=talk.now) is None

    def test_a_stop_since_then_refuses(self, talk: Conversation) -> None:
        [command] = talk.asks(mt()).commands
        talk.says("STOP")
        rejection = refuse_before_sending(talk.row, open_command(command), now=talk.now)
        assert rejection is not None
        assert rejection.rule == GateRule.OPTED_OUT_BEFORE_SENT
        assert (rejection.command_id, rejection.scope) == (command.command_id, ANN)
        assert rejection.mo_message_id == "STOP@120000"

    def test_a_stop_all_since_then_refuses(self, talk: Conversation) -> None:
        [command] = talk.asks(mt()).commands
        talk.says("STOP ALL", BOB)
        rejection = refuse_before_sending(talk.row, open_command(command), now=talk.now)
        assert rejection is not None
        assert rejection.scope == "main"

    def test_a_confirmation_passes_its_own_stop(self, talk: Conversation) -> None:
        talk.says("STOP")
        talk.tick(345)
        assert refuse_before_sending(talk.row, open_command(talk.commands[0]), now=talk.now) is None

    def test_what_is_too_late_is_expired(self, talk: Conversation) -> None:
        [command] = talk.asks(mt()).commands
        late = command.not_after + timedelta(seconds=1)
        assert refuse_before_sending(talk.row, open_command(command), now=command.not_after) is None
        rejection = refuse_before_sending(talk.row, open_command(command), now=late)
        assert rejection is not None
        assert rejection.rule == GateRule.EXPIRED


def request(**fields: str) -> ConsentRequest:
    """An operator's request, as its record has it."""
    given: dict[str, Any] = {
        "request_id": "o-1",
        "handset": f"+{HANDSET}",
        "action": "stop",
        "actor": "eve",
        "reason": "letter of 2 March",
        "requested_at": NOON,
    }
    return ConsentRequest(**(given | fields))


class TestOrderFromRequest:
    """The order that a record of `consent-request` contains."""

    @pytest.mark.parametrize(
        ("fields", "stops"),
        [
            ({}, True),
            ({"action": "open", "number": ANN}, False),
            ({"action": "accept", "number": ANN, "mo_message_id": "m-7"}, True),
            ({"number": SHARED, "keyword": "fun"}, True),
            ({"account": "other"}, True),
        ],
    )
    def test_an_order(self, fields: dict[str, str], stops: bool) -> None:
        order = order_from_request(request(**fields), directory=DIRECTORY)
        assert isinstance(order, OperatorOrder)
        assert (order.handset, order.stops, order.actor) == (HANDSET, stops, "eve")
        assert order.number == fields.get("number", "")
        assert order.mo_message_id == fields.get("mo_message_id", "")

    def test_a_dismissed_review_changes_nothing(self) -> None:
        dismissed = request(action="dismiss", number=ANN, mo_message_id="m-7")
        assert order_from_request(dismissed, directory=DIRECTORY) is None

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"action": "halt"}, "none of stop"),
            ({"request_id": ""}, "no id"),
            ({"handset": "ACME"}, "handset is not digits"),
            ({"handset": ""}, "handset is not digits"),
            ({"number": "ACME"}, "number is not digits"),
            ({"actor": " "}, "who"),
            ({"reason": ""}, "why"),
            ({"action": "accept"}, "names its message"),
            ({"action": "stop", "mo_message_id": "m-7"}, "nothing else"),
            ({"number": SHARED, "keyword": "nonsense"}, "no such keyword"),
            ({"number": ANN, "keyword": "fun"}, "no such keyword"),
            ({"keyword": "fun"}, "no such keyword"),
            ({"account": "nobody"}, "no such account"),
        ],
    )
    def test_an_order_that_cannot_be_carried_out(self, fields: dict[str, str], words: str) -> None:
        rejected = order_from_request(request(**fields), directory=DIRECTORY)
        assert isinstance(rejected, Rejected)
        assert rejected.reason == Reason.WRONG_ORDER
        assert words in rejected.words

    def test_an_id_has_one_key_that_is_no_text(self) -> None:
        key = order_key(request())
        assert key == order_key(request(action="open"))
        assert key != order_key(request(request_id="o-2"))
        with pytest.raises(UnicodeDecodeError):
            key.decode()
