"""The fast path of the commonest message gives what the general path gives."""

from datetime import datetime, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.records import MoMessage
from pipeline.sms.timestamp import seconds_of
from pipeline.stages.consent.decide import (
    Decision,
    decide_on_message,
    octets_from_consent,
    take_message,
)
from pipeline.stages.consent.fast_path import row_after_words
from pipeline.stages.consent.reading import read_message
from pipeline.stages.consent.row import OPEN, HandsetConsent
from pipeline.stages.consent.scopes.timeline import fold
from tests.support.conversation import Conversation, mo
from tests.support.rented_numbers import ANN, BOB, CUSTOM, INSIDE, NOON, SHARED, STRICT

ELSEWHERE = "27000000000"
TEXTS = ("hello", "hello", "the friend", "HELP", "", "START", "FUN hi", "STOP", "STOP", "STOP ALL")
MESSAGES = st.tuples(
    st.sampled_from(TEXTS),
    st.sampled_from((ANN, ANN, ANN, ANN, BOB, STRICT, CUSTOM, INSIDE, SHARED, ELSEWHERE)),
    st.sampled_from((0, 1, 30, 600)),  # minutes since the last
    st.sampled_from((0, 0, 0, 1, 45, 700, -3)),  # minutes late
)


def in_general(
    talk: Conversation, row: HandsetConsent | None, message: MoMessage, now: datetime
) -> Decision:
    """The decision of the general path."""
    number = talk.directory.find(message.number)
    return decide_on_message(
        row,
        message,
        read_message(message, number),
        number,
        directory=talk.directory,
        now=now,
        rules=talk.rules,
        at=seconds_of(min(message.gateway_time, message.received_at)),
    )


@example([("HELP", CUSTOM, 0, 0)])
@settings(max_examples=200)
@given(st.lists(MESSAGES, max_size=25))
def test_both_ways_give_the_same_row(said: list[tuple[str, str, int, int]]) -> None:
    talk = Conversation()
    for count, (text, number, later, late) in enumerate(said):
        talk.now += timedelta(minutes=later)
        talk.tick_once()
        gateway_time = talk.now - timedelta(minutes=late)
        message = mo(text, number, at=gateway_time, received_at=talk.now, message_id=f"m{count}")
        row, general = talk.row, in_general(talk, talk.row, message, talk.now)
        decision = take_message(
            row, message, directory=talk.directory, now=talk.now, rules=talk.rules
        )
        assert decision == general
        assert decision.row is not None
        assert general.row is not None
        assert octets_from_consent(decision.row) == octets_from_consent(general.row)
        for timeline in decision.row.timelines:
            folded = fold(timeline.events, until=seconds_of(talk.now))
            assert not timeline.is_said_open or folded.ours.state == folded.gateway.state == OPEN
        talk.says(text, number, late=late, message_id=f"m{count}")


def test_an_ordinary_conversation_goes_the_short_way() -> None:
    row = None
    for count in range(30):
        message = mo(at=NOON + timedelta(minutes=count), message_id=f"m{count}")
        reading = read_message(message, None)
        at = seconds_of(message.gateway_time)
        row = row_after_words(row, message, reading, None, at=at)
        assert row is not None
    assert row.arrivals == 30


def test_after_a_stop_and_an_opening_it_goes_the_short_way_again() -> None:
    talk = Conversation()
    talk.says("STOP", ANN)
    talk.says("hello", ANN)
    assert talk.row is not None
    message = mo("hello", ANN, at=talk.now, message_id="again")
    number = talk.directory.find(ANN)
    reading = read_message(message, number)
    assert row_after_words(talk.row, message, reading, number, at=seconds_of(talk.now)) is not None
