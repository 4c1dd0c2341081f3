"""The rows of the guide's section 7 that need special kinds of numbers, on the running stack."""

from __future__ import annotations

import pytest

from tests.support.rented_numbers import (
    ANN,
    BILLED,
    BOB,
    CUSTOM,
    FIRST,
    INSIDE,
    LAST,
    LINKED,
    PREMIUM,
    SHARED,
    STRICT,
)

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]

DEFAULT = "You will no longer receive messages from the short code {}"  # G7.1.1
RANGE = f"{FIRST}-{LAST}"


def states(outside, handset, at_least=1):
    """Scope, rule and both states of each change, in the order of recording."""
    rows = outside.rows(
        "consent_change", handset, at_least=at_least, order="recorded_at, kafka_offset"
    )
    return [(row["scope"], row["rule"], row["state"], row["gateway_state"]) for row in rows]


def sent(outside, handset):
    rows = outside.rows("mt_command", handset, at_least=0, order="at, kafka_offset")
    return [(row["purpose"], row["text"], row["sender_id"]) for row in rows]


def is_refused(outside, handset, sender, keyword=None):
    """Whether an MT of this sender is refused as opted out; any other refusal fails the test."""
    words = {"keyword": keyword} if keyword else {}
    decision = outside.decided(outside.ask_mt(to=handset, text="news", **{"from": sender}, **words))
    if decision["state"] == "command":
        return False
    assert decision["rule"] == "opted-out", decision
    return True


@pytest.fixture(scope="module")
def six_hours_later(outside):
    """For each kind of number a handset that stopped over six hours ago, and what it was sent."""
    stops = {
        "range": (INSIDE, "STOP"),
        "keyword": (SHARED, "FUN stop"),
        "bare": (SHARED, "End."),
        "all": (ANN, "STOP ALL"),
        "premium": (PREMIUM, "STOP"),
        "billed": (BILLED, "Unsubscribe"),
        "custom": (CUSTOM, "STOP"),
    }
    handsets = {kind: outside.new_handset() for kind in stops}
    for kind, (number, text) in stops.items():
        outside.text(handsets[kind], text, number=number)
    for handset in handsets.values():
        outside.rows("consent_change", handset)
    outside.running.cli("clock", "advance", "6h")
    return handsets


@pytest.mark.parametrize("word", ["STOP", "end", "Cancel", "UnSubscribe", "quit"])
def test_g7_1_1_each_stop_word_in_any_case_stops_the_number_and_reaches_the_application(
    outside, handset, word
):
    outside.text(handset, word)
    assert states(outside, handset) == [(ANN, "stop-word", "confirmation-due", "confirmation-due")]
    (message,) = outside.rows("mo_message", handset)  # G7.1: always delivered
    assert message["text"] == word
    assert is_refused(outside, handset, ANN)
    assert not is_refused(outside, handset, BOB)


@pytest.mark.parametrize("word", ["STOP", "END", "CANCEL", "UNSUBSCRIBE", "QUIT", "STOP ALL"])
def test_g7_1_1_a_message_that_contains_a_stop_word_does_not_re_enable(outside, handset, word):
    outside.text(handset, "STOP")
    outside.text(handset, f"do not {word.lower()} yet")
    assert is_refused(outside, handset, ANN)
    assert outside.rows("mo_message", handset, at_least=2, order="kafka_offset")[1]["flags"] == [
        "review"
    ]


def test_g8_4_a_stop_at_one_number_stops_its_tagged_range(outside, handset):
    outside.text(handset, "STOP", number=INSIDE)
    assert states(outside, handset) == [
        (RANGE, "stop-word", "confirmation-due", "confirmation-due")
    ]
    assert is_refused(outside, handset, LAST)
    assert not is_refused(outside, handset, ANN)
    outside.text(handset, "hello", number=FIRST)
    assert not is_refused(outside, handset, INSIDE)


@pytest.mark.parametrize("text", ["FUN STOP", "stop fun", "Fun, QUIT!"])
def test_g7_1_2_keyword_and_stop_word_in_either_order_stop_the_keyword(outside, handset, text):
    outside.text(handset, text, number=SHARED)
    assert [row[:2] for row in states(outside, handset)] == [(f"{SHARED}/FUN", "keyword-stop")]
    assert is_refused(outside, handset, SHARED, "FUN")
    assert not is_refused(outside, handset, SHARED, "GAME")
    outside.text(handset, "hello", number=SHARED)  # without the keyword it re-enables nothing
    assert is_refused(outside, handset, SHARED, "FUN")
    outside.text(handset, "fun again", number=SHARED)
    assert not is_refused(outside, handset, SHARED, "FUN")


def test_g7_1_2_a_bare_stop_word_stops_every_keyword_of_ours_there(outside, handset):
    outside.text(handset, "stop", number=SHARED)
    scopes = {row[0] for row in states(outside, handset, 2)}
    assert scopes == {f"{SHARED}/FUN", f"{SHARED}/GAME"}
    assert is_refused(outside, handset, SHARED, "FUN")
    assert is_refused(outside, handset, SHARED, "GAME")
    assert not is_refused(outside, handset, ANN)


@pytest.mark.parametrize("text", ["STOP ALL", "stopall", "Stop, stop!"])
def test_g7_1_2_stop_all_stops_the_account_at_whatever_number_it_arrives(outside, handset, text):
    outside.text(handset, text, number=BOB)
    assert states(outside, handset)[0] == (
        "main",
        "stop-all",
        "confirmation-due",
        "confirmation-due",
    )
    assert is_refused(outside, handset, ANN)
    assert is_refused(outside, handset, SHARED, "FUN")
    outside.text(handset, "hello", number=ANN)
    assert not is_refused(outside, handset, ANN)
    assert is_refused(outside, handset, BOB)


def test_g7_1_1_the_gateway_does_not_block_a_premium_short_code_and_we_do(outside, six_hours_later):
    handset = six_hours_later["premium"]
    assert states(outside, handset) == [(PREMIUM, "stop-word", "stopped", "open")]
    assert sent(outside, handset) == []
    assert is_refused(outside, handset, PREMIUM)


def test_g7_1_1_an_mt_billed_short_code_confirms_from_its_linked_number(outside, six_hours_later):
    handset = six_hours_later["billed"]
    assert sent(outside, handset) == [("confirmation", DEFAULT.format(BILLED), LINKED)]
    assert states(outside, handset, 2)[-1] == (BILLED, "confirmed", "stopped", "stopped")


@pytest.mark.parametrize(
    ("kind", "number"), [("range", INSIDE), ("keyword", SHARED), ("bare", SHARED), ("all", ANN)]
)
def test_g7_1_1_one_default_text_goes_out_from_the_number_texted(
    outside, six_hours_later, kind, number
):
    handset = six_hours_later[kind]
    assert sent(outside, handset) == [("confirmation", DEFAULT.format(number), number)]


def test_g7_2_a_custom_reply_confirms_at_once_and_nothing_follows(
    outside, handset, six_hours_later
):
    outside.text(handset, "stop", number=CUSTOM)
    outside.rows("mt_command", handset)
    assert sent(outside, handset) == [("custom-reply", "You are off the list.", CUSTOM)]
    assert states(outside, handset)[-1][2:] == ("stopped", "stopped")
    assert len(sent(outside, six_hours_later["custom"])) == 1


def test_g7_1_1_after_the_default_text_a_confirmation_is_not_due(outside, six_hours_later):
    handset = six_hours_later["range"]
    request = outside.ask_mt(
        to=handset, text="You are off.", confirms_opt_out=True, **{"from": INSIDE}
    )
    assert outside.decided(request)["rule"] == "confirmation-not-due"
    assert is_refused(outside, handset, INSIDE)


def test_g7_2_1_enabled_without_a_text_the_default_text_goes_out_at_once(outside, handset):
    outside.text(handset, "end", number=CUSTOM)
    outside.rows("mt_command", handset)
    assert sent(outside, handset) == [("confirmation", DEFAULT.format(CUSTOM), CUSTOM)]
    assert states(outside, handset, 2)[-1][2:] == ("stopped", "stopped")


def test_g7_2_1_help_enabled_without_a_text_is_not_answered(outside, handset):
    outside.text(handset, "HELP", number=BOB)
    assert not is_refused(outside, handset, BOB)
    outside.rows("mt_command", handset)
    assert sent(outside, handset) == [("reply", "news", BOB)]


def test_g7_2_1_help_is_answered_even_where_it_is_stopped(outside, handset):
    outside.text(handset, "STOP", number=CUSTOM)
    outside.text(handset, "help", number=CUSTOM)
    outside.rows("mt_command", handset, at_least=2)
    assert sent(outside, handset)[-1] == ("help", "Call 0800 1234", CUSTOM)
    assert is_refused(outside, handset, CUSTOM)


def test_g7_2_1_help_at_an_mt_billed_short_code_goes_out_from_its_linked_number(outside, handset):
    outside.text(handset, "HELP", number=BILLED)
    outside.rows("mt_command", handset)
    assert sent(outside, handset) == [("help", "Ask us on the web", LINKED)]


def test_help_without_a_reply_is_not_answered(outside, handset):
    outside.text(handset, "HELP", number=ANN)
    assert not is_refused(outside, handset, ANN)
    outside.rows("mt_command", handset)
    assert sent(outside, handset) == [("reply", "news", ANN)]


def test_strict_only_start_unstop_or_yes_re_enables_ours(outside, handset):
    outside.text(handset, "STOP", number=STRICT)
    outside.text(handset, "hello again", number=STRICT)
    assert states(outside, handset, 2)[-1][2:] == ("confirmation-due", "open")
    assert is_refused(outside, handset, STRICT)
    outside.text(handset, "Start", number=STRICT)
    assert states(outside, handset, 3)[-1] == (STRICT, "re-enabled", "open", "open")
    assert not is_refused(outside, handset, STRICT)
