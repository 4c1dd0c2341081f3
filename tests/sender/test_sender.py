"""Asks, permits, calls and results of one sender; worker and gateway are played by the tests."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from pipeline.records import CommandState, Outcome
from pipeline.sender import metrics
from pipeline.sender.apis.unknown import MOST_SAID
from pipeline.sender.calls.attempts import ASK_AGAIN_SECONDS, MARGIN_SECONDS
from pipeline.sender.calls.bucket import Bucket
from pipeline.sender.sender import BEHIND_SECONDS, END_SECONDS
from pipeline.sender.way import Answer, Found
from tests.sender.fakes import FakeWay, Office, ends, settle


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch) -> Office:
    return Office(monkeypatch)


def test_a_command_is_asked_for_permitted_called_told_and_done(office: Office) -> None:
    async def scenario() -> None:
        command = await office.asked()
        assert office.post.said() == [("ask", "01", 1)]
        assert office.way.calls == []
        office.permit(command)
        await settle()
        assert [call.command.command_id for call in office.way.calls] == [command.command_id]
        (result,) = office.post.results
        assert (result.outcome, result.attempt) == ("submitted", 1)
        assert result.holder == office.post.asks[0].holder
        assert office.sender.marks() == {0: 0}
        office.say(command, CommandState.SUBMITTED, attempt=1)
        assert office.sender.marks() == {0: 1}
        assert len(office.sender) == 0

    office.play(scenario)


@pytest.mark.parametrize("seconds", [0.0, 10.0 - MARGIN_SECONDS - 0.01])
def test_a_permit_in_time_is_used(office: Office, seconds: float) -> None:
    async def scenario() -> None:
        command = await office.asked()
        state = {"until": office.now() + timedelta(seconds=10), "at": office.now()}
        office.clock.now += seconds
        office.permit(command, **state)
        await settle()
        assert len(office.way.calls) == 1

    office.play(scenario)


@pytest.mark.parametrize("seconds", [10.0 - MARGIN_SECONDS, 9.9, 60.0])
def test_a_permit_that_comes_late_is_withdrawn_and_not_used(office: Office, seconds: float) -> None:
    async def scenario() -> None:
        command = await office.asked()
        state = {"until": office.now() + timedelta(seconds=10), "at": office.now()}
        office.clock.now += seconds
        office.permit(command, **state)
        await settle()
        assert office.way.calls == []
        assert ("withdraw", "01", 1) in office.post.said()
        asks = len(office.post.asks)
        office.say(command, CommandState.WAITING, attempt=1)
        await settle()
        assert office.post.said(asks) == [("ask", "01", 2)]

    office.play(scenario)


def test_a_permit_that_ends_while_the_way_connects_is_withdrawn(office: Office) -> None:
    async def scenario() -> None:
        office.way.connecting.clear()
        await office.called()
        office.clock.now += 10
        office.way.connecting.set()
        await settle()
        assert office.way.calls == []
        assert office.post.said()[-1] == ("withdraw", "01", 1)
        assert office.post.results == []

    office.play(scenario)


def test_an_ask_without_an_answer_is_written_again_after_ten_seconds_the_same(
    office: Office,
) -> None:
    async def scenario() -> None:
        office.take("01")
        await asyncio.sleep(ASK_AGAIN_SECONDS - 1.5)
        assert len(office.post.asks) == 1
        await asyncio.sleep(3.0)
        first, again = office.post.asks
        assert (first.ask_id, first.attempt) == (again.ask_id, again.attempt)

    office.play(scenario)


def test_a_permit_counts_from_the_first_ask_of_an_attempt(office: Office) -> None:
    """The worker repeats the permit of the first ask: its ten seconds began then."""

    async def scenario() -> None:
        command = await office.asked()
        state = {"until": office.now() + timedelta(seconds=10), "at": office.now()}
        await asyncio.sleep(ASK_AGAIN_SECONDS + 1.5)
        assert len(office.post.asks) == 2
        office.permit(command, **state)
        await settle()
        assert office.way.calls == []

    office.play(scenario)


class TestBehind:
    """Told to wait behind another's command, a sender asks again later, with the same ask.

    An earlier writing of it may yet be answered by a permit, so it counts from the first one.
    """

    def test_a_permit_counts_from_the_ask_before_it_was_told_to_wait(self, office: Office) -> None:
        async def scenario() -> None:
            command = office.take("01")
            await settle()
            office.say(command, CommandState.WAITING, behind="another")
            await asyncio.sleep(BEHIND_SECONDS[0])
            await settle()
            first, again = office.post.asks
            assert (first.ask_id, first.attempt) == (again.ask_id, again.attempt)
            # Of the first ask, decided at once and read late: its ten seconds began then.
            begun = office.now() - timedelta(seconds=BEHIND_SECONDS[0])
            office.clock.now += 10.0 - MARGIN_SECONDS - BEHIND_SECONDS[0]
            office.permit(command, until=begun + timedelta(seconds=10), at=begun)
            await settle()
            assert office.way.calls == []

        office.play(scenario)

    def test_after_a_long_wait_the_permit_is_given_back_once_and_the_next_is_used(
        self, office: Office
    ) -> None:
        async def scenario() -> None:
            command = office.take("01")
            await settle()
            for _ in range(5):  # 0.5, 1, 2, 4 and 8 s
                office.say(command, CommandState.WAITING, behind="another")
                await asyncio.sleep(BEHIND_SECONDS[1])
                await settle()
            office.permit(command)
            await settle()
            assert office.post.said()[-1] == ("withdraw", "01", 1)
            office.say(command, CommandState.WAITING, attempt=1)
            await settle()
            assert office.post.said()[-1] == ("ask", "01", 2)
            office.permit(command, 2)
            await settle()
            assert [call.attempt for call in office.way.calls] == [2]

        office.play(scenario)


@pytest.mark.parametrize(
    "change", [{"holder": "another"}, {"attempt": 2}, {"until": None}], ids=str
)
def test_a_permit_that_is_not_of_this_ask_is_not_used(
    office: Office, change: dict[str, object]
) -> None:
    async def scenario() -> None:
        command = await office.asked()
        office.permit(command, **change)
        await settle()
        assert office.way.calls == []

    office.play(scenario)


def test_a_permit_said_twice_makes_one_call(office: Office) -> None:
    async def scenario() -> None:
        command = await office.asked()
        for _ in range(2):
            office.permit(command)
            await settle()
        assert len(office.way.calls) == 1

    office.play(scenario)


def test_commands_of_a_handset_and_sender_go_one_after_the_other(office: Office) -> None:
    async def scenario() -> None:
        first, second = office.take("01"), office.take("02")
        other = await office.asked("03", sender_id="447700900998")
        assert office.post.said() == [("ask", "01", 1), ("ask", "03", 1)]
        for command in (first, other):
            office.permit(command)
        await settle()
        office.say(first, CommandState.SUBMITTED, attempt=1)
        await settle()
        assert office.post.said()[2:] == [("ask", "02", 1)]
        assert second.command_id == office.post.asks[-1].command_id

    office.play(scenario)


def test_a_confirmation_waits_for_no_reply(office: Office) -> None:
    async def scenario() -> None:
        office.take("01")
        await office.asked("02", purpose="confirmation")
        assert office.post.said() == [("ask", "01", 1), ("ask", "02", 1)]

    office.play(scenario)


def test_while_a_result_is_not_acknowledged_nothing_is_asked_for(office: Office) -> None:
    async def scenario() -> None:
        command = await office.asked()
        office.post.there.clear()
        office.permit(command)
        await settle()
        assert len(office.way.calls) == 1
        await office.asked("02", handset="447700900124")
        assert office.post.said() == [("ask", "01", 1)]
        office.post.there.set()
        await settle()
        assert len(office.post.results) == 1
        assert office.post.said()[1:] == [("ask", "02", 1)]

    office.play(scenario)


def test_a_temporary_failure_is_asked_for_again_in_its_time(office: Office) -> None:
    async def scenario() -> None:
        command = await office.called()
        retry_at = office.now() + timedelta(seconds=5)
        office.say(command, CommandState.WAITING, attempt=1, retry_at=retry_at)
        await asyncio.sleep(4.9)
        assert len(office.post.asks) == 1
        await asyncio.sleep(0.2)
        assert office.post.said()[1:] == [("ask", "01", 2)]
        office.permit(command, 2)
        await settle()
        assert [call.attempt for call in office.way.calls] == [1, 2]

    office.play(scenario)


class TestUnknown:
    def test_it_steps_aside_and_comes_back_in_front(self, office: Office) -> None:
        async def scenario() -> None:
            first, second, third = office.take("01"), office.take("02"), office.take("03")
            await settle()
            office.permit(first)
            await settle()
            office.say(first, CommandState.UNKNOWN, attempt=1)
            await settle()
            assert office.post.said()[1:] == [("ask", "02", 1)]
            office.say(first, CommandState.WAITING, attempt=1)
            await settle()
            assert office.post.said()[2:] == [("ask", "01", 2)]
            office.permit(second)
            await settle()
            office.say(second, CommandState.SUBMITTED, attempt=1)
            await settle()
            assert len(office.post.asks) == 3
            office.permit(first, 2)
            await settle()
            office.say(first, CommandState.SUBMITTED, attempt=2)
            await settle()
            assert office.post.said()[3:] == [("ask", "03", 1)]
            assert third.command_id == office.post.asks[-1].command_id

        office.play(scenario)

    @pytest.mark.parametrize(
        ("found", "outcomes"),
        [
            (None, []),
            (Found(is_known=None), []),
            (Found(is_known=False, code="104"), [("failed", True)]),
            (Found(is_known=True, status="003"), [("submitted", False)]),
            (Found(is_known=True, status="004"), [("delivered", False)]),
            (Found(is_known=True, status="007"), [("undelivered", False)]),
            (Found(is_known=True, status="001"), []),
        ],
    )
    def test_the_gateway_is_asked_when_the_worker_says_so(
        self, office: Office, found: Found | None, outcomes: list[tuple[str, bool]]
    ) -> None:
        async def scenario() -> None:
            office.way.found = found
            command = await office.asked()
            office.say(command, CommandState.UNKNOWN, attempt=1)
            await settle()
            assert office.way.questions == []
            office.say(command, CommandState.UNKNOWN, attempt=1, ask_gateway=True)
            await settle()
            assert office.way.questions == [command.command_id]
            seen = [(r.outcome, r.is_temporary) for r in office.post.results]
            assert seen == outcomes
            assert all(
                (r.source, r.holder, r.final) == ("query", "", False) for r in office.post.results
            )

        office.play(scenario)

    def test_another_api_is_asked_where_one_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked = FakeWay(found=Found(is_known=True, status="003"))
        office = Office(monkeypatch, ways={"5678": asked}, query_by="5678")

        async def scenario() -> None:
            command = await office.asked()
            office.say(command, CommandState.UNKNOWN, attempt=1, ask_gateway=True)
            await settle()
            assert (office.way.questions, asked.questions) == ([], [command.command_id])

        office.play(scenario)


class TestGivingUp:
    def test_asks_are_withdrawn_and_their_permits_never_used(self, office: Office) -> None:
        async def scenario() -> None:
            command = office.take("01")
            stays = await office.asked("02", partition=1, handset="447700900124")
            holder = office.holder_of(command)
            await office.sender.give_up([0])
            assert office.post.said()[2:] == [("withdraw", "01", 1)]
            assert office.post.asks[-1].holder == holder
            office.permit(command)
            office.permit(stays)
            await settle()
            called = [call.command.command_id for call in office.way.calls]
            assert called == [stays.command_id]
            assert office.sender.marks() == {1: 1}

        office.play(scenario)

    def test_calls_that_are_under_way_end_and_are_told(self, office: Office) -> None:
        async def scenario() -> None:
            command = await office.asked()
            office.way.answering.clear()
            office.permit(command)
            await settle()
            holder = office.holder_of(command)
            giving_up = asyncio.create_task(office.sender.give_up([0]))
            assert not await ends(giving_up)
            office.way.answering.set()
            await giving_up
            (result,) = office.post.results
            assert (result.outcome, result.holder) == ("submitted", holder)
            assert [ask.kind for ask in office.post.asks] == ["ask"]

        office.play(scenario)

    def test_a_call_that_takes_too_long_holds_no_partition_back(self, office: Office) -> None:
        async def scenario() -> None:
            command = await office.asked()
            office.way.answering.clear()
            office.permit(command)
            await settle()
            begun = office.clock.now
            await office.sender.give_up([0])
            assert office.clock.now - begun == pytest.approx(END_SECONDS)
            assert office.post.results == []
            office.way.answering.set()
            await settle()
            assert len(office.post.results) == 1

        office.play(scenario)

    def test_a_call_that_has_not_begun_goes_no_more(self, office: Office) -> None:
        async def scenario() -> None:
            command = await office.asked()
            office.way.connecting.clear()
            office.permit(command)
            await settle()
            await office.sender.give_up([0])
            office.way.connecting.set()
            await settle()
            assert office.way.calls == []
            assert office.post.said()[-1] == ("withdraw", "01", 1)

        office.play(scenario)

    def test_a_partition_that_comes_back_has_another_holder(self, office: Office) -> None:
        async def scenario() -> None:
            command = await office.asked()
            before = office.holder_of(command)
            await office.sender.give_up([0])
            office.sender.assign([0], of=4)
            await office.asked()
            after = office.holder_of(command)
            assert before != after
            office.permit(command, holder=before)
            await settle()
            assert office.way.calls == []

        office.play(scenario)


def test_the_mark_waits_for_the_first_that_is_not_final(office: Office) -> None:
    async def scenario() -> None:
        first = office.take("01")
        second = await office.asked("02", handset="447700900124")
        office.say(second, CommandState.REFUSED)
        assert office.sender.marks() == {0: 0}
        office.say(first, CommandState.FAILED)
        assert office.sender.marks() == {0: 2}

    office.play(scenario)


def test_a_call_that_meets_a_defect_is_unknown_and_the_next_goes_on(office: Office) -> None:
    async def scenario() -> None:
        office.way.raises = KeyError("a defect")
        await office.called()
        office.way.raises = None
        await office.called("02", handset="447700900124")
        assert [result.outcome for result in office.post.results] == ["unknown", "submitted"]

    office.play(scenario)


def test_parts_that_are_permitted_are_the_parts_that_are_sent(office: Office) -> None:
    async def scenario() -> None:
        office.way.answers = [
            Answer(outcome=Outcome.SUBMITTED, part_number=2, gateway_message_ids=("b",))
        ]
        command = await office.asked("01", text="x" * 200, parts=2)
        office.permit(command, parts=[2])
        await settle()
        assert office.way.calls[0].parts == (2,)
        assert office.post.results[0].gateway_message_ids == ["", "b"]

    office.play(scenario)


class TestAsksOfAPartitionThatIsGone:
    """Nobody would use the permit; it would lapse, and the command would become unknown."""

    def test_what_waits_for_the_rate_is_not_asked_for(self, office: Office) -> None:
        async def scenario() -> None:
            office.desks["1234"].bucket = Bucket(0.1, clock=office.clock)
            office.take("01")
            await asyncio.sleep(5.0)
            await office.sender.give_up([0])
            await asyncio.sleep(20.0)
            assert office.post.asks == []

        office.play(scenario)

    def test_what_waits_for_a_result_is_not_asked_for(self, office: Office) -> None:
        async def scenario() -> None:
            command = await office.asked("01", partition=1)
            office.post.there.clear()
            office.permit(command)
            await settle()
            await office.asked("02", handset="447700900124")
            giving_up = asyncio.create_task(office.sender.give_up([0]))
            await settle()
            office.post.there.set()
            await giving_up
            await settle()
            assert office.post.said() == [("ask", "01", 1)]

        office.play(scenario)

    def test_an_ask_that_is_being_written_is_withdrawn_behind_it(self, office: Office) -> None:
        async def scenario() -> None:
            office.post.slow = {"ask": 3.0}
            await office.asked()
            await office.sender.give_up([0])
            assert office.post.said() == [("ask", "01", 1), ("withdraw", "01", 1)]

        office.play(scenario)

    def test_a_permit_is_given_back_by_the_holder_that_it_names(self, office: Office) -> None:
        async def scenario() -> None:
            command = await office.asked()
            holder = office.holder_of(command)
            office.way.connecting.clear()
            office.permit(command)
            await settle()
            await office.sender.give_up([0])
            office.sender.assign([0], of=4)
            office.way.connecting.set()
            await settle()
            assert [(a.kind, a.holder) for a in office.post.asks[1:]] == [("withdraw", holder)]

        office.play(scenario)


def test_a_record_of_a_partition_that_was_just_given_up_is_left_to_its_new_owner(
    office: Office,
) -> None:
    async def scenario() -> None:
        await office.sender.give_up([0])
        office.take("01")
        await settle()
        assert (len(office.sender), office.post.asks) == (0, [])
        assert office.sender.marks() == {}

    office.play(scenario)


def test_commands_for_apis_that_are_not_there_are_counted_while_they_wait(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    def waiting() -> float:
        return metrics.WITHOUT_API._value.get()

    async def scenario() -> None:
        first, _ = office.take("01", api_id="none"), office.take("02", api_id="none", partition=1)
        await asyncio.sleep(1.5)
        assert waiting() == 2
        office.say(first, CommandState.REFUSED)
        await asyncio.sleep(1.5)
        assert waiting() == 1

    office.play(scenario)
    assert len(caplog.messages) == 1


def test_names_of_apis_that_nobody_has_are_not_kept_for_ever(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    unknown = office.sender._unknown_apis
    for number in range(2 * MOST_SAID):
        unknown.warn(f"{number:05}" + "x" * 60_000)
    assert len(caplog.messages) == MOST_SAID
    assert sum(map(len, unknown._said)) < 10_000


def test_a_defect_in_a_call_is_logged_with_its_command(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        office.way.raises = RuntimeError("a fault of ours")
        command = await office.called()
        assert f"the call by API 1234 for command {command.command_id} met a defect" in caplog.text
        assert [result.outcome for result in office.post.results] == ["unknown"]

    office.play(scenario)


def test_a_defect_beside_a_call_is_logged_with_its_command(
    office: Office, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask(_: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(office.post, "ask", ask)

    async def scenario() -> None:
        command = await office.asked()
        assert f"command {command.command_id} met a defect" in caplog.text

    office.play(scenario)
