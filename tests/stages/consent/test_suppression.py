"""A forgotten handset is judged as before, and no record says whose the suppression is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.records import ConsentRule
from pipeline.stages.consent.decide import octets_from_consent
from pipeline.stages.consent.suppression import (
    Suppression,
    kept_stops,
    octets_from_suppression,
    row_from_suppression,
    suppress,
    suppression_from_octets,
)
from tests.support.conversation import Conversation
from tests.support.rented_numbers import ANN, BOB, CODE, HANDSET, INSIDE, PREMIUM, SHARED

SENDERS = [(ANN, None), (BOB, None), (CODE, None), (PREMIUM, None), (INSIDE, None)]
SENDERS += [(SHARED, "FUN"), (SHARED, "GAME"), ("ACME", None)]
TEXTS = ("hello", "STOP", "STOP ALL", "FUN hello", "GAME STOP", "please do not stop", "HELP")
SAID = st.tuples(st.sampled_from(TEXTS), st.sampled_from([s for s, _ in SENDERS[:-1]]))
PASSING = st.sampled_from((1, 30, 400))
#: What is said, how late it comes, and how much time passes then.
STEPS = st.lists(st.tuples(SAID, st.sampled_from((0, 0, 5, 45, 300)), PASSING), max_size=12)
# A stop that was sent before a message that is forgotten, and comes after it, stops: so it is late
# by nothing here.
STEPS_SINCE = st.lists(st.tuples(SAID, st.just(0), PASSING), max_size=12)


def play(talk: Conversation, steps) -> None:
    for (text, number), late, minutes in steps:
        talk.says(text, number, late=late)
        talk.pass_minutes(minutes)
        talk.tick_once()


def forget(talk: Conversation) -> Suppression | None:
    """Remove the row, and use the row that its suppression gives."""
    kept = suppress(talk.row, now=talk.now)
    talk.octets = None
    if kept is not None:
        again = suppression_from_octets(octets_from_suppression(kept))
        talk.octets = octets_from_consent(row_from_suppression(again, HANDSET))
    return kept


def passes(talk: Conversation) -> list[bool]:
    return [talk.is_open(sender, keyword=keyword) for sender, keyword in SENDERS]


@given(before=STEPS, after=STEPS_SINCE)
def test_every_mt_passes_or_is_refused_as_if_nothing_had_been_forgotten(before, after):
    remembered, forgotten = Conversation(), Conversation()
    play(remembered, before)
    play(forgotten, before)
    forget(forgotten)
    assert passes(forgotten) == passes(remembered)
    for step in after:
        play(remembered, [step])
        play(forgotten, [step])
        assert passes(forgotten) == passes(remembered)


@given(STEPS)
def test_a_suppression_holds_no_handset_message_or_words(steps):
    talk = Conversation()
    play(talk, steps)
    kept = forget(talk)
    if kept is None:
        return
    octets = octets_from_suppression(kept)
    assert HANDSET.encode() not in octets
    for timeline in kept.timelines:
        assert timeline.published == []
        for event in timeline.events:
            assert (event.message_id, event.number, event.actor, event.reason) == ("",) * 4
            assert event.rule in (ConsentRule.SUPPRESSION, ConsentRule.RE_ENABLED)


@given(STEPS)
def test_what_is_told_of_it_is_what_holds(steps):
    talk = Conversation()
    play(talk, steps)
    timelines = talk.row.timelines if talk.row else []
    said = {change.scope for change in talk.changes}
    states = {
        timeline.key: talk.states(timeline.scope if timeline.scope in said else "main")
        for timeline in timelines
    }
    told = {(s.scope_kind, s.scope): (s.state, s.gateway_state) for s in kept_stops(forget(talk))}
    expected = {
        key: tuple("open" if side == "open" else "stopped" for side in sides)
        for key, sides in states.items()
        if sides != ("open", "open")
    }
    assert told == expected


@pytest.mark.parametrize("texts", [[], ["hello"], ["STOP", "I am back"], ["do not stop"]])
def test_who_is_not_stopped_leaves_no_suppression(texts):
    talk = Conversation()
    for text in texts:
        talk.says(text)
        talk.pass_minutes(1)
    assert suppress(talk.row, now=talk.now) is None


def test_a_stop_that_is_older_comes_late_and_changes_nothing():
    talk = Conversation()
    talk.says("STOP")
    forget(talk)
    talk.pass_minutes(10)
    talk.says("hello", late=20)  # sent before the stop
    assert not talk.is_open()
    talk.says("hello", late=5)
    assert talk.is_open()


def test_a_stop_again_after_it_was_forgotten_is_not_confirmed_again():
    talk = Conversation()
    talk.says("STOP")
    forget(talk)
    talk.pass_minutes(10)
    talk.says("STOP")
    for _ in range(10):
        talk.pass_minutes(60)
        talk.tick_once()
    assert talk.commands == []
