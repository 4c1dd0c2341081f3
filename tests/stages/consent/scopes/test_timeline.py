"""The timeline of one scope: folding it, and which events it may forget."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.records import ConsentRule
from pipeline.stages.consent.row import (
    OPEN,
    Effect,
    Event,
    HandsetConsent,
    Published,
    Timeline,
    consent_from_octets,
    octets_from_consent,
)
from pipeline.stages.consent.scopes import timeline as consent_timeline
from pipeline.stages.consent.scopes.timeline import NEVER, fold, insert

WINDOW = 60
RULES = [rule.value for rule in ConsentRule]

effects = st.sampled_from(Effect)


@st.composite
def some_events(draw: st.DrawFn) -> list[Event]:
    """Events as they arrive, with any times; a confirmation belongs to an earlier arrival."""
    events: list[Event] = []
    for arrival in range(draw(st.integers(1, 14))):
        at = draw(st.integers(0, 40)) * 10
        kind = draw(st.sampled_from(["stop", "all", "open", "gateway", "confirm", "order"]))
        stops = [e for e in events if e.deadline and e.at <= at]
        if kind == "confirm" and stops:
            stop = draw(st.sampled_from(stops))
            both = int(Effect.CONFIRM)
            event = Event(
                at=at,
                arrival=arrival,
                ours=both,
                gateway=both,
                rule="confirmed",
                confirms_at=stop.at,
                confirms_arrival=stop.arrival,
            )
        elif kind in ("stop", "all"):
            rule = ConsentRule.STOP_ALL if kind == "all" else ConsentRule.STOP_WORD
            both = int(Effect.STOP)
            event = Event(
                at=at,
                arrival=arrival,
                ours=both,
                gateway=both,
                rule=rule.value,
                due=at + WINDOW - 5,
                deadline=at + WINDOW,
            )
        elif kind == "order":
            ours = draw(st.sampled_from([Effect.OPEN, Effect.STOP_AT_ONCE]))
            event = Event(
                at=at,
                arrival=arrival,
                ours=int(ours),
                gateway=int(Effect.NONE),
                rule=ConsentRule.OPERATOR.value,
            )
        else:
            ours = Effect.NONE if kind == "gateway" else Effect.OPEN
            event = Event(at=at, arrival=arrival, ours=int(ours), gateway=int(Effect.OPEN))
        events.append(event)
    return events


@given(events=some_events(), keep=st.integers(1, 3))
def test_what_is_forgotten_never_decides_whether_a_side_is_open(
    events: list[Event], keep: int
) -> None:
    patch = pytest.MonkeyPatch()
    patch.setattr(consent_timeline, "ROOM", 0)
    short = whole = Timeline("number", "1")
    for event in events:
        short = insert(short, event, keep=keep)
        whole = insert(whole, event, keep=1000)
        told, expected = (fold(t.events, until=NEVER) for t in (short, whole))
        assert (told.ours.state == OPEN) == (expected.ours.state == OPEN)
        assert (told.gateway.state == OPEN) == (expected.gateway.state == OPEN)
    patch.undo()
    assert len(short.events) <= keep + 12


@given(events=some_events(), keep=st.integers(1, 3))
def test_of_what_comes_in_time_nothing_needed_is_forgotten(events: list[Event], keep: int) -> None:
    patch = pytest.MonkeyPatch()
    patch.setattr(consent_timeline, "ROOM", 0)
    short = whole = Timeline("number", "1")
    for event in sorted(events, key=lambda e: e.order):
        short = insert(short, event, keep=keep)
        whole = insert(whole, event, keep=1000)
        told, expected = (fold(t.events, until=NEVER) for t in (short, whole))
        assert told.ours.state == expected.ours.state
        assert told.gateway.state == expected.gateway.state
        assert told.pending == expected.pending
        assert told.pending is None or told.pending_deadline == expected.pending_deadline
    patch.undo()


@given(events=some_events())
def test_the_order_of_arrival_at_the_fold_does_not_matter(events: list[Event]) -> None:
    timeline = backwards = Timeline("number", "1")
    for event in events:
        timeline = insert(timeline, event, keep=1000)
    for event in reversed(events):
        backwards = insert(backwards, event, keep=1000)
    assert timeline == backwards


@given(events=some_events())
def test_segments_follow_one_another_and_each_says_something_new(events: list[Event]) -> None:
    segments = fold(sorted(events, key=lambda e: e.order), until=10_000).segments
    times = [segment.at for segment in segments]
    assert times == sorted(set(times))
    assert all(segment.event in events for segment in segments)


@given(events=some_events(), number=st.text(max_size=5), arrivals=st.integers(0, 2**40))
def test_a_row_is_read_as_it_was_written(events: list[Event], number: str, arrivals: int) -> None:
    row = HandsetConsent(
        handset="27821234567",
        arrivals=arrivals,
        last_number=number,
        timelines=[Timeline("account", "main", events, [Published(1, 2, 0)], 7)],
    )
    assert consent_from_octets(octets_from_consent(row)) == row
