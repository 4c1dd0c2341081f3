"""What the stand-in believes of consent, by the guide's words (guide 7, 8.4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.gateway.account.consent import ACCOUNT, WINDOW, Belief, Consent
from pipeline.gateway.rented import Rented
from pipeline.gateway.world import EventKind
from tests.gateway.ways import of_kind, until
from tests.support.golden_rows import golden_rows

ANN, ONE, TWO = "447700900001", "447700900100", "447700900101"
CODE, BILLED, LINKED, PREMIUM, SHARED = "12345", "45678", "447700900102", "34567", "56789"
FIRST, INSIDE, LAST = "27600000100", "27600000150", "27600000199"
RANGE, FUN, GAME = f"{FIRST}-{LAST}", f"{SHARED}/FUN", f"{SHARED}/GAME"
OPEN, DUE, STOPPED = Belief.OPEN, Belief.CONFIRMATION_DUE, Belief.STOPPED
RENTED = Rented(
    ranges=((FIRST, LAST),),
    keywords={SHARED: ("FUN", "GAME")},
    premium=(PREMIUM,),
    linked={BILLED: LINKED},
)


class Clock:
    time = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def consent() -> Consent:
    return Consent(RENTED, Clock().now)


@pytest.mark.parametrize("word", ["STOP", "end", "Cancel", "UNSUBSCRIBE", " quit! "])
def test_a_stop_word_stops_the_number_texted(consent, word):
    assert consent.texted(ANN, ONE, word).stop
    assert consent.of(ANN) == {ONE: DUE}


@pytest.mark.parametrize("text", ["stop it", "weekend", "please do not cancel", "", " "])
def test_another_text_stops_nothing(consent, text):
    assert not consent.texted(ANN, ONE, text).stop
    assert consent.of(ANN) == {}


@pytest.mark.parametrize("text", ["hello", "👋", "???", "START", "HELP", "halt"])
def test_a_message_without_a_stop_word_opens(consent, text):
    """7.1.1: "a new message that does not contain one of the following"; signs are a message."""
    consent.texted(ANN, ONE, "STOP")
    assert consent.texted(ANN, ONE, text).is_change
    assert consent.of(ANN) == {}


@pytest.mark.parametrize("text", ["do not stop", "STOP", "stop all of it", "", "  "])
def test_a_message_with_a_stop_word_or_none_at_all_opens_nothing(consent, text):
    consent.texted(ANN, ONE, "STOP")
    assert not consent.texted(ANN, ONE, text).is_change
    assert consent.of(ANN) == {ONE: DUE}


@pytest.mark.parametrize("text", ["STOP ALL", "stop stop", "StopAll"])
def test_stop_all_stops_every_number(consent, text):
    assert consent.texted(ANN, ONE, text).stop
    assert consent.of(ANN) == {ACCOUNT: DUE}
    for scope in (ONE, TWO, CODE, RANGE, FUN, GAME):
        assert consent.belief(ANN, scope) is DUE
    assert consent.belief(ANN, PREMIUM) is OPEN


def test_after_stop_all_a_message_to_a_number_opens_that_number(consent):
    consent.texted(ANN, ONE, "STOP ALL")
    consent.texted(ANN, TWO, "hello")
    assert consent.of(ANN) == {ACCOUNT: DUE, TWO: OPEN}
    again = consent.texted(ANN, TWO, "STOP ALL")
    assert again.stop
    assert again.stop.number == TWO
    assert consent.of(ANN) == {ACCOUNT: DUE, TWO: DUE}


def test_the_six_hours_of_stop_all_end_elsewhere_though_its_number_is_open_again(consent):
    stop = consent.texted(ANN, ONE, "STOP ALL").stop
    consent.texted(ANN, ONE, "hello")
    assert consent.overdue(ANN, stop)
    assert not consent.holds(ANN, stop)  # so the gateway confirms nothing there
    assert (consent.belief(ANN, ONE), consent.belief(ANN, TWO)) == (OPEN, STOPPED)


def test_a_stop_of_what_is_stopped_lets_nothing_through_again(consent):
    stop = consent.texted(ANN, ONE, "STOP ALL").stop
    assert consent.overdue(ANN, stop)
    assert not consent.texted(ANN, TWO, "STOP").stop
    assert consent.refuses(ANN, TWO)


@pytest.mark.parametrize(
    ("number", "sender", "is_confirmed"),
    [
        (ONE, ONE, True),
        (ONE, TWO, False),
        (BILLED, LINKED, True),  # 7.1.1: "from a linked standard rate MO number"
        (BILLED, BILLED, False),
        (FIRST, INSIDE, True),  # 8.4: a range is viewed as one number
        (ONE, "ACME", False),
    ],
)
@pytest.mark.parametrize("word", ["STOP", "STOP ALL"])
def test_a_confirmation_comes_from_the_number_that_was_texted(
    consent, word, number, sender, is_confirmed
):
    stop = consent.texted(ANN, number, word).stop
    assert not consent.refuses(ANN, sender)
    assert consent.confirmed(ANN, sender) is is_confirmed
    assert stop.belief is (STOPPED if is_confirmed else DUE)


def test_one_confirmation_is_enough_for_stop_and_stop_all(consent):
    consent.texted(ANN, ONE, "STOP")
    consent.texted(ANN, ONE, "STOP ALL")
    assert consent.confirmed(ANN, ONE)
    assert consent.of(ANN) == {ACCOUNT: STOPPED, ONE: STOPPED}
    assert not consent.confirmed(ANN, ONE)
    assert consent.refuses(ANN, ONE)


def test_a_stop_that_a_message_ended_is_not_overdue(consent):
    stop = consent.texted(ANN, ONE, "STOP").stop
    consent.texted(ANN, ONE, "hello")
    consent.texted(ANN, ONE, "STOP")
    assert not consent.overdue(ANN, stop)
    assert consent.of(ANN) == {ONE: DUE}


@pytest.mark.parametrize(
    ("text", "stopped"),
    [
        ("STOP fun", {FUN}),
        ("fun STOP", {FUN}),
        ("quit game", {GAME}),
        ("STOP", {FUN, GAME}),
        ("STOP other", set()),
        ("please stop fun", set()),
    ],
)
def test_a_keyword_beside_a_stop_word_stops_that_keyword(consent, text, stopped):
    """7.1.2; of a stop word alone it says nothing."""
    consent.texted(ANN, SHARED, text)
    assert set(consent.of(ANN)) == stopped
    consent.texted(ANN, SHARED, "hello")
    assert set(consent.of(ANN)) == stopped
    consent.texted(ANN, SHARED, "Fun hello")
    assert set(consent.of(ANN)) == stopped - {FUN}


def test_from_a_shared_code_an_mt_is_refused_once_every_keyword_is_stopped(consent):
    assert consent.overdue(ANN, consent.texted(ANN, SHARED, "STOP fun").stop)
    assert not consent.refuses(ANN, SHARED)
    assert consent.overdue(ANN, consent.texted(ANN, SHARED, "game quit").stop)
    assert consent.refuses(ANN, SHARED)


@pytest.mark.parametrize("text", ["STOP", "STOP ALL", "StopAll", "quit"])
def test_at_a_premium_number_the_rule_does_not_apply(consent, text):
    assert not consent.texted(ANN, PREMIUM, text).stop
    assert consent.of(ANN) == {}


async def test_the_gateway_speaks_from_the_linked_number(play):
    rented = {"rented": RENTED, "short_codes": (BILLED,)}
    async with play(**rented) as played:
        gateway = played.gateway
        await gateway.text(ANN, BILLED, "STOP")
        gateway.clock.set_offset(WINDOW + timedelta(seconds=1))
        await until(lambda: of_kind(gateway, EventKind.SHOWN))
        (shown,) = of_kind(gateway, EventKind.SHOWN)
        assert shown.sender_id == LINKED
        assert BILLED in shown.text


async def test_a_custom_reply_confirms_every_stop_that_is_due_at_its_number(play):
    """7.2.1: it "will be sent back to the user as confirmation that they have unsubscribed"."""
    given = {"rented": RENTED, "short_codes": (SHARED,), "custom_replies": {"QUIT": "Bye."}}
    async with play(**given) as played:
        await played.gateway.text(ANN, SHARED, "STOP fun")
        await played.gateway.text(ANN, SHARED, "quit")
        assert played.gateway.consent_of(ANN) == {FUN: STOPPED, GAME: STOPPED}


async def test_every_part_of_a_confirmation_passes_and_no_later_message(play):
    """7.1.1: one message confirms; over SMPP it may come in parts, of which the first is taken."""
    async with play() as played:
        gateway = played.gateway
        number = gateway.settings.numbers[0]
        await gateway.text(ANN, number, "STOP")
        codes = []
        for udh in ("050003aa0201", "050003aa0202", "050003bb0201", ""):
            given = {"to": ANN, "from": number, "text": "x", "udh": udh, "mo": "1"}
            (result,) = gateway.desk.send("smpp", "10004", given, received=b"")
            codes.append(result.refusal.code if result.refusal else "")
        assert codes == ["", "", "122", "122"]


NUMBERS = {"S1": ONE, "S2": TWO, "N1": ONE, "N2": TWO, "SHARED": SHARED}


@pytest.mark.parametrize("row", golden_rows("optout_sequences"))
def test_a_golden_sequence_comes_out_as_the_product_has_it(consent, row):
    """The expectation is the source's and the product's; this is a second implementation."""
    for step, ours in zip(row["input"]["steps"], row["ours"]["steps"], strict=True):
        number = NUMBERS[step.get("to") or step.get("sender") or "N1"]
        if "mo" in step:
            consent.texted(ANN, number, step["mo"])
        if ours is not None:
            scope = FUN if number == SHARED else number
            is_open = consent.belief(ANN, scope) is OPEN
            assert is_open == (ours in ("open", "sent")), step
