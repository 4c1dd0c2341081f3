"""When an API gets no commands, for how long, and when it is probed."""

from __future__ import annotations

import pytest

from pipeline.records import Outcome
from pipeline.sender.calls.circuit import (
    FAILURES,
    LONGEST_SECONDS,
    LONGEST_THROTTLE_SECONDS,
    SHORTEST_SECONDS,
    THROTTLED_SECONDS,
    Circuit,
)
from pipeline.sender.way import Answer, Trouble
from tests.sender.fakes import Clock

TAKEN = Answer(outcome=Outcome.SUBMITTED)
NOT_TAKEN = Answer(outcome=Outcome.FAILED)
UNKNOWN = Answer(outcome=Outcome.UNKNOWN, words="500")
UNREACHABLE = Answer(outcome=Outcome.FAILED, is_temporary=True, trouble=Trouble.UNREACHABLE)
REFUSED = Answer(outcome=Outcome.FAILED, is_temporary=True, trouble=Trouble.REFUSED, words="001")


def throttled(seconds: int = 0, outcome: Outcome = Outcome.FAILED) -> Answer:
    return Answer(outcome=outcome, trouble=Trouble.THROTTLED, retry_after_seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def circuit(clock: Clock) -> Circuit:
    return Circuit(clock=clock)


@pytest.mark.parametrize("failure", [UNREACHABLE, UNKNOWN, throttled(1, Outcome.UNKNOWN)])
def test_five_failures_in_a_row_open_it(circuit: Circuit, failure: Answer) -> None:
    for _ in range(FAILURES - 1):
        circuit.note(failure)
        assert not circuit.is_open
    circuit.note(failure)
    assert circuit.is_open
    assert 0 < circuit.seconds_to_wait <= SHORTEST_SECONDS


@pytest.mark.parametrize("between", [TAKEN, NOT_TAKEN, throttled()])
def test_any_answer_in_between_is_a_beginning_anew(circuit: Circuit, between: Answer) -> None:
    for _ in range(3):
        for _ in range(FAILURES - 1):
            circuit.note(UNREACHABLE)
        circuit.note(between)
    assert not circuit.is_open


def test_a_gateway_that_refuses_us_opens_it_at_once(circuit: Circuit) -> None:
    circuit.note(REFUSED)
    assert (circuit.is_open, circuit.words) == (True, "001")


@pytest.mark.parametrize(
    ("asked", "waited"),
    [(0, THROTTLED_SECONDS), (30, 30), (86_400, LONGEST_THROTTLE_SECONDS)],
)
def test_it_pauses_as_long_as_the_gateway_asks(
    circuit: Circuit, clock: Clock, asked: int, waited: float
) -> None:
    circuit.note(throttled(asked))
    assert not circuit.is_open
    assert circuit.seconds_to_wait == waited
    circuit.note(throttled(1))  # of a call that was under way
    assert circuit.seconds_to_wait == waited
    clock.now += waited
    assert circuit.seconds_to_wait == 0


def test_each_probe_that_fails_doubles_the_wait_up_to_the_longest(
    circuit: Circuit, clock: Clock
) -> None:
    circuit.note(REFUSED)
    longest = SHORTEST_SECONDS
    for _ in range(10):
        clock.now += circuit.seconds_to_wait
        assert circuit.is_open
        circuit.probe_failed("no")
        longest = min(longest * 2, LONGEST_SECONDS)
        assert longest / 2 <= circuit.seconds_to_wait <= longest


def test_what_is_under_way_when_it_opens_does_not_put_the_probe_off(
    circuit: Circuit, clock: Clock
) -> None:
    circuit.note(REFUSED)
    wait = circuit.seconds_to_wait
    circuit.note(TAKEN)
    circuit.note(REFUSED)
    assert circuit.seconds_to_wait == wait


def test_after_a_probe_one_failure_opens_it_again_and_for_longer(
    circuit: Circuit, clock: Clock
) -> None:
    """The gateway answers pings, and answers each message with 500."""
    for _ in range(FAILURES):
        circuit.note(UNKNOWN)
    circuit.probe_succeeded()
    assert not circuit.is_open
    circuit.note(UNKNOWN)
    assert circuit.is_open
    assert SHORTEST_SECONDS <= circuit.seconds_to_wait <= 2 * SHORTEST_SECONDS


@pytest.mark.parametrize("answer", [TAKEN, NOT_TAKEN, throttled()])
def test_it_is_half_open_from_a_probe_until_a_message_is_answered(
    circuit: Circuit, answer: Answer
) -> None:
    circuit.note(REFUSED)
    assert not circuit.is_trying
    circuit.probe_succeeded()
    assert (circuit.is_open, circuit.is_trying) == (False, True)
    circuit.note(answer)
    assert (circuit.is_open, circuit.is_trying) == (False, False)


@pytest.mark.parametrize("failure", [UNREACHABLE, UNKNOWN, REFUSED])
def test_a_failure_while_half_open_opens_it(circuit: Circuit, failure: Answer) -> None:
    circuit.note(REFUSED)
    circuit.probe_succeeded()
    circuit.note(failure)
    assert (circuit.is_open, circuit.is_trying) == (True, False)


def test_a_message_taken_after_a_probe_forgets_what_was(circuit: Circuit) -> None:
    circuit.note(REFUSED)
    circuit.probe_failed("no")
    circuit.probe_succeeded()
    circuit.note(TAKEN)
    for _ in range(FAILURES - 1):
        circuit.note(UNKNOWN)
    assert not circuit.is_open
    circuit.note(UNKNOWN)
    assert 0 < circuit.seconds_to_wait <= SHORTEST_SECONDS
