"""The queue of one API: its window, its rate, its circuit, and the result of a call."""

from __future__ import annotations

import asyncio

import pytest

from pipeline.records import CommandState, Outcome
from pipeline.sender.calls.bucket import Bucket
from pipeline.sender.calls.circuit import FAILURES, SHORTEST_SECONDS
from pipeline.sender.way import Answer, Trouble
from tests.sender.fakes import Office, settle
from tests.support.submissions import submission_of

UNKNOWN = Answer(outcome=Outcome.UNKNOWN, words="500")
UNREACHABLE = Answer(outcome=Outcome.FAILED, is_temporary=True, trouble=Trouble.UNREACHABLE)


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch) -> Office:
    return Office(monkeypatch)


def handset(number: int) -> str:
    return f"4477009002{number:02d}"


def test_no_more_calls_are_under_way_than_the_window(office: Office) -> None:
    async def scenario() -> None:
        office.way.answering.clear()
        commands = [office.take(f"{n:02d}", handset=handset(n)) for n in range(8)]
        await settle()
        assert len(office.post.asks) == 4  # twice the window: permits come while others call
        for command in commands[:4]:
            office.permit(command)
        await settle()
        assert office.way.most_at_a_time == 2
        office.way.answering.set()
        await settle()
        assert (len(office.way.calls), office.way.most_at_a_time) == (4, 2)
        assert len(office.post.asks) == 8

    office.play(scenario)


def test_a_permit_that_ends_while_it_waits_for_the_window_is_not_used(office: Office) -> None:
    async def scenario() -> None:
        office.way.answering.clear()
        commands = [office.take(f"{n:02d}", handset=handset(n)) for n in range(3)]
        await settle()
        for command in commands:
            office.permit(command)
        await settle()
        office.clock.now += 10
        office.way.answering.set()
        await settle()
        assert len(office.way.calls) == 2
        assert office.post.said()[-1] == ("withdraw", "02", 1)

    office.play(scenario)


def test_it_asks_no_faster_than_the_rate(office: Office) -> None:
    async def scenario() -> None:
        desk = office.desks["1234"]
        desk.bucket = Bucket(2.0, clock=office.clock)
        for number in range(4):
            office.take(f"{number:02d}", handset=handset(number), parts=2)
        await asyncio.sleep(0.9)
        assert len(office.post.asks) == 0
        await asyncio.sleep(0.2)
        assert len(office.post.asks) == 1
        await asyncio.sleep(1.0)
        assert len(office.post.asks) == 2

    office.play(scenario)


def test_while_the_gateway_asks_for_less_nothing_is_asked_for(office: Office) -> None:
    async def scenario() -> None:
        throttled = Answer(
            outcome=Outcome.FAILED,
            is_temporary=True,
            trouble=Trouble.THROTTLED,
            retry_after_seconds=30,
        )
        office.way.answers = [throttled]
        command = office.take("01")
        await settle()
        office.permit(command)
        await settle()
        office.take("02", handset=handset(2))
        await asyncio.sleep(29.5)
        assert ("ask", "02", 1) not in office.post.said()
        await asyncio.sleep(1.0)
        assert ("ask", "02", 1) in office.post.said()
        assert office.way.probes == 0

    office.play(scenario)


@pytest.mark.parametrize("answer", [UNKNOWN, UNREACHABLE])
def test_an_open_circuit_asks_for_nothing_until_a_probe_goes_through(
    office: Office, answer: Answer
) -> None:
    async def scenario() -> None:
        office.way.answers = [answer]
        office.way.probe_words = "not yet"
        for number in range(FAILURES):
            command = office.take(f"{number:02d}", handset=handset(number))
            await settle()
            office.permit(command)
            await settle()
            office.say(command, CommandState.FAILED)
        asked = len(office.post.asks)
        office.take("99", handset=handset(99))
        await asyncio.sleep(60.0)
        assert len(office.post.asks) == asked
        assert office.way.probes >= 2
        office.way.probe_words = ""
        await asyncio.sleep(300.0)
        assert office.post.said()[asked:][0] == ("ask", "99", 1)

    office.play(scenario)


def opened(office: Office, answer: Answer) -> None:
    """Open the circuit as calls that were answered so do it."""
    for _ in range(FAILURES):
        office.desks["1234"].circuit.note(answer)


@pytest.mark.parametrize("answer", [UNKNOWN, UNREACHABLE])
def test_after_a_probe_one_message_at_a_time_tries(
    monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    """A gateway that answers pings, and 500 to each message: one command a probe is unknown."""
    office = Office(monkeypatch, window=10)

    async def scenario() -> None:
        opened(office, answer)
        office.way.answers = [answer]
        commands = [office.take(f"{n:02d}", handset=handset(n)) for n in range(20)]
        for probes in (1, 2, 3):
            while office.way.probes < probes:  # noqa: ASYNC110 - time passes only as it is waited for
                await asyncio.sleep(0.5)
            await settle()
            assert office.post.said()[-1] == ("ask", f"{probes - 1:02d}", 1)
            assert len(office.post.asks) == probes
            office.permit(commands[probes - 1])
            await settle()
            office.say(commands[probes - 1], CommandState.UNKNOWN, attempt=1)
        assert len(office.way.calls) == 3

    office.play(scenario)


def test_one_message_that_is_taken_closes_the_circuit_for_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    office = Office(monkeypatch, window=10)

    async def scenario() -> None:
        opened(office, UNREACHABLE)
        commands = [office.take(f"{n:02d}", handset=handset(n)) for n in range(20)]
        await asyncio.sleep(SHORTEST_SECONDS)
        await settle()
        assert len(office.post.asks) == 1
        office.permit(commands[0])
        await settle()
        assert len(office.post.asks) == 20  # twice the window

    office.play(scenario)


def test_a_message_that_is_refused_before_its_call_lets_the_next_one_try(office: Office) -> None:
    async def scenario() -> None:
        opened(office, UNREACHABLE)
        first, second = (office.take(f"{n:02d}", handset=handset(n)) for n in (1, 2))
        await asyncio.sleep(SHORTEST_SECONDS)
        await settle()
        office.say(first, CommandState.REFUSED)
        await settle()
        assert office.post.said() == [("ask", "01", 1), ("ask", "02", 1)]
        assert second.command_id == office.post.asks[-1].command_id

    office.play(scenario)


def test_a_probe_that_meets_a_defect_has_failed_and_the_sender_goes_on(office: Office) -> None:
    async def scenario() -> None:
        opened(office, UNREACHABLE)
        office.way.probe_raises = KeyError("a defect")
        office.take("01")
        while office.way.probes < 2:  # noqa: ASYNC110 - time passes only as it is waited for
            await asyncio.sleep(0.5)
        assert office.desks["1234"].circuit.words == "KeyError in the probe"
        office.way.probe_raises = None
        await asyncio.sleep(60.0)
        assert ("ask", "01", 1) in office.post.said()

    office.play(scenario)


def test_parts_that_fail_together_are_one_failure(office: Office) -> None:
    async def scenario() -> None:
        parts = [Answer(outcome=Outcome.UNKNOWN, trouble=Trouble.UNREACHABLE, part_number=1)]
        parts += [
            Answer(
                outcome=Outcome.FAILED,
                is_temporary=True,
                trouble=Trouble.UNREACHABLE,
                part_number=number,
            )
            for number in range(2, FAILURES + 2)
        ]
        office.way.answers = parts
        desk = office.desks["1234"]
        for _ in range(FAILURES - 1):
            await desk.make_call(submission_of(), lambda: True)
            assert not desk.circuit.is_open
        await desk.make_call(submission_of(), lambda: True)
        assert desk.circuit.is_open

    office.play(scenario)


def test_a_call_without_an_end_is_unknown_after_the_apis_time(office: Office) -> None:
    async def scenario() -> None:
        office.way.answering.clear()
        command = office.take("01")
        await settle()
        office.permit(command)
        await asyncio.sleep(36.0)
        (result,) = office.post.results
        assert (result.outcome, result.words) == ("unknown", "no answer within 30 s")

    office.play(scenario)
