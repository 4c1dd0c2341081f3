"""Asks, permits, results and statuses of commands, by the rules of `pipeline/stages/sending`."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.conversation.tables import OUTBOX, SENT
from pipeline.kafka import topics
from pipeline.records import AskKind
from tests.support.outgoing import Outgoing
from tests.support.partition import HANDSET, NOON, NUMBER

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def box() -> Outgoing:
    box = Outgoing()
    box.tick(NOON)
    return box


def test_the_first_ask_is_permitted_for_ten_seconds_to_who_asked(box):
    state = box.ask(box.command(), holder="a")
    assert (state.state, state.attempt, state.holder) == ("permitted", 1, "a")
    assert state.until - state.at == 10 * SECOND
    assert state.consent_asked_at == state.at


def test_no_permit_outlives_its_command(box):
    command = box.command()
    box.pass_time(command.not_after - 4 * SECOND)
    state = box.ask(command)
    assert state.until == command.not_after


def test_the_same_ask_again_has_the_same_permit(box):
    command = box.command()
    first = box.ask(command)
    box.pass_time(NOON + 3 * SECOND)
    again = box.ask(command)
    assert (again.state, again.attempt, again.until) == ("permitted", 1, first.until)


def test_another_holder_is_told_whose_permit_it_is(box):
    command = box.command()
    box.ask(command, holder="a")
    assert box.ask(command, holder="b").holder == "a"


def test_a_second_attempt_is_not_permitted_before_the_first_has_a_result(box):
    command = box.command()
    box.ask(command)
    state = box.ask(command, attempt=2)
    assert (state.state, state.attempt) == ("permitted", 1)


def test_an_ask_for_an_attempt_that_is_over_permits_nothing(box):
    command = box.command()
    box.ask(command)
    box.ask(command, kind=AskKind.WITHDRAW)
    state = box.ask(command, attempt=1)
    assert (state.state, state.attempt) == ("waiting", 1)
    assert box.ask(command, attempt=2).state == "permitted"


def test_only_the_holder_gives_a_permit_back(box):
    command = box.command()
    box.ask(command, holder="a")
    box.ask(command, holder="b", kind=AskKind.WITHDRAW)
    assert box.state_of(command).state == "permitted"


def test_a_permit_that_lapsed_may_still_be_given_back(box):
    """The sender had been stopped for long, and says that it sent nothing."""
    command = box.command()
    box.ask(command, holder="a")
    box.pass_time(NOON + 3 * MINUTE)
    assert box.state_of(command).state == "unknown"
    for holder, attempt in (("b", 1), ("a", 2)):
        box.ask(command, attempt, holder=holder, kind=AskKind.WITHDRAW)
        assert box.state_of(command).state == "unknown"
    box.ask(command, holder="a", kind=AskKind.WITHDRAW)
    assert box.state_of(command).state == "waiting"
    assert box.ask(command, 2, holder="b").state == "permitted"
    box.result(command, "submitted", attempt=2, holder="b", gateway_message_id="1")
    box.pass_time(NOON + 30 * MINUTE)
    assert box.state_of(command).state == "submitted"


def test_an_ask_for_a_command_that_is_not_known_is_refused(box):
    command = box.command()
    other = type(command)(
        **{f: getattr(command, f) for f in command.__struct_fields__} | {"command_id": "0" * 32}
    )
    assert box.ask(other).state == "refused"
    assert box.written(topics.MT_REJECTION) == []


class TestOrder:
    def test_the_older_command_of_a_sender_goes_first(self, box):
        first, second = box.command("r1"), box.command("r2")
        state = box.ask(second)
        assert (state.state, state.behind) == ("waiting", first.command_id)
        box.ask(first)
        assert box.ask(second).behind == first.command_id
        box.result(first, "submitted", gateway_message_id="1")
        assert box.ask(second).state == "permitted"

    def test_nobody_waits_for_one_whose_fate_is_not_known(self, box):
        first, second = box.command("r1"), box.command("r2")
        box.ask(first)
        box.result(first, "unknown")
        assert box.ask(second).state == "permitted"

    def test_a_confirmation_waits_for_no_reply(self, box):
        reply = box.command("r1")
        box.raw("STOP", at=NOON)
        box.pass_time(NOON + timedelta(hours=5, minutes=45))
        confirmation = box.commands[-1]
        assert confirmation.purpose == "confirmation"
        assert box.state_of(reply).state == "refused"
        assert box.ask(confirmation).state == "permitted"


class TestConsent:
    def test_a_stop_refuses_what_waits_at_once(self, box):
        command = box.command()
        box.raw("STOP", at=NOON)
        state = box.state_of(command)
        assert (state.state, state.source) == ("refused", "stop")
        assert [r.rule for r in box.rejections] == ["opted-out-before-sent"]
        assert box.rejections[0].command_id == command.command_id

    def test_a_stop_does_not_take_a_permit_back(self, box):
        command = box.command()
        box.ask(command)
        box.raw("STOP", at=NOON)
        assert box.state_of(command).state == "permitted"

    @pytest.mark.parametrize("how", ["withdrawn", "failed", "lapsed", "not known"])
    def test_what_comes_back_after_a_stop_is_refused_at_once(self, box, how):
        command = box.command()
        box.ask(command, holder="a")
        box.raw("STOP", at=NOON)
        match how:
            case "withdrawn":
                box.ask(command, holder="a", kind=AskKind.WITHDRAW)
            case "failed":
                box.result(command, "failed", code="901", is_temporary=True)
            case "lapsed":
                box.pass_time(NOON + 3 * MINUTE)
                box.ask(command, holder="a", kind=AskKind.WITHDRAW)
            case "not known":
                box.result(command, "unknown")
                box.pass_time(NOON + 12 * MINUTE)
                box.result(command, "failed", source="query", holder="", code="104")
        state = box.state_of(command)
        assert (state.state, state.code) == ("refused", "opted-out-before-sent")
        assert [r.rule for r in box.rejections] == ["opted-out-before-sent"]

    def test_what_comes_back_after_a_stop_is_refused(self, box):
        command = box.command()
        box.ask(command)
        box.raw("STOP", at=NOON)
        box.result(command, "failed", code="901", is_temporary=True)
        box.pass_time(NOON + MINUTE)
        assert box.ask(command, attempt=2).state == "refused"

    def test_a_confirmation_is_not_sent_after_its_handset_opened_again(self, box):
        box.raw("STOP", at=NOON)
        box.pass_time(NOON + timedelta(hours=5, minutes=45))
        confirmation = box.commands[-1]
        box.now += SECOND
        box.raw("hello again", at=box.now, mo_msg_id="m2")
        state = box.state_of(confirmation)
        assert (state.state, state.code) == ("refused", "confirmation-not-due")

    @pytest.mark.parametrize("code", ["121", "122", "128"])
    def test_the_gateways_word_that_it_blocks_stops_its_side(self, box, code):
        command = box.command("r1")
        waiting = box.command("r2")
        box.ask(command)
        box.result(command, "failed", code=code, final=True)
        change = box.written(topics.CONSENT_CHANGE)[-1]
        assert (change.state, change.gateway_state) == ("open", "stopped")
        assert (change.rule, change.scope) == ("gateway-said", NUMBER)
        assert box.state_of(waiting).state == "refused"

    def test_its_word_on_a_confirmation_of_stop_all_is_about_the_sender_alone(self, box):
        """G7.1.1: a message to a number has opened that number, and the gateway with it."""
        other = "447700900555"
        box.raw("STOP ALL", at=NOON)
        box.now += SECOND
        box.raw("hello", at=box.now, mo_msg_id="m2", number=other)
        box.pass_time(NOON + timedelta(hours=5, minutes=45))
        own = box.commands[-1]
        assert [scope.scope_kind for scope in own.scopes] == ["account"]
        box.ask(own)
        box.result(own, "failed", code="122", final=True)
        said = {row.scope: row for row in box.written(topics.CONSENT_CHANGE)}
        assert (said[other].gateway_state, said[other].rule) == ("open", "re-enabled")
        assert (said["main"].gateway_state, said["main"].rule) == ("stopped", "confirmed")

    def test_a_confirmation_that_failed_is_followed_by_the_default_text_once(self, box):
        box.raw("STOP", at=NOON)
        box.now += SECOND
        box.confirm("own", "Bye.")
        own = box.commands[-1]
        assert own.purpose == "confirmation"
        box.ask(own)
        box.result(own, "failed", code="114", final=True)
        default = box.commands[-1]
        assert default.text.startswith("You will no longer receive messages")
        box.ask(default)
        count = len(box.commands)
        box.result(default, "failed", code="114", final=True)
        assert len(box.commands) == count


class TestResults:
    def test_a_temporary_failure_is_tried_again_after_longer_and_longer_waits(self, box):
        command = box.command()
        waits = []
        for attempt in range(1, 8):
            assert box.ask(command, attempt).state == "permitted"
            state = box.result(command, "failed", attempt=attempt, is_temporary=True)
            waits.append((state.retry_at - state.at) / SECOND)
            assert box.ask(command, attempt + 1).state == "waiting"
            box.pass_time(state.retry_at)
        for wait, middle in zip(waits, [5, 15, 60, 300, 900, 900, 900], strict=True):
            assert 0.75 * middle <= wait <= 1.25 * middle

    def test_the_gateways_own_wait_counts_where_it_is_longer(self, box):
        command = box.command()
        box.ask(command)
        state = box.result(command, "failed", is_temporary=True, retry_after_seconds=76)
        assert state.retry_at - state.at == 76 * SECOND

    def test_a_permit_without_a_result_is_unknown(self, box):
        command = box.command()
        until = box.ask(command).until
        box.pass_time(until + 89 * SECOND)
        assert box.state_of(command).state == "permitted"
        box.pass_time(until + 90 * SECOND)
        state = box.state_of(command)
        assert (state.state, state.source) == ("unknown", "lapse")

    def test_a_result_after_the_lapse_counts(self, box):
        command = box.command()
        box.ask(command)
        box.pass_time(NOON + 5 * MINUTE)
        assert box.result(command, "submitted", gateway_message_id="1").state == "submitted"

    def test_the_gateway_is_asked_about_an_unknown_command_for_a_day(self, box):
        command = box.command()
        box.ask(command)
        box.result(command, "unknown")
        asked = []
        for minute in range(26 * 60):
            box.pass_time(NOON + minute * MINUTE)
        asked = [(s.at - NOON) / MINUTE for s in box.states_of(command) if s.ask_gateway]
        assert [round(a) for a in asked] == [1, 5, 11, 30, 120, 480, 1440]
        assert box.state_of(command).state == "unknown"
        assert box.state.sizes()[OUTBOX] == 0
        assert box.state.sizes()[SENT] == 1

    def test_what_the_gateway_does_not_know_is_sent_again_but_not_before_ten_minutes(self, box):
        command = box.command()
        until = box.ask(command).until
        box.result(command, "unknown")
        box.pass_time(until + 9 * MINUTE)
        not_known = {"source": "query", "code": "104", "is_temporary": True, "holder": ""}
        assert box.result(command, "failed", **not_known).state == "unknown"
        box.pass_time(until + 10 * MINUTE)
        assert box.result(command, "failed", **not_known).state == "waiting"
        assert box.ask(command, 2).state == "permitted"

    def test_what_the_gateway_does_not_know_and_is_too_late_has_failed(self, box):
        command = box.command()
        box.pass_time(command.not_after - SECOND)
        box.ask(command)
        box.result(command, "unknown")
        box.pass_time(command.not_after + 11 * MINUTE)
        not_known = {"source": "query", "code": "104", "is_temporary": True, "holder": ""}
        assert box.result(command, "failed", **not_known).state == "failed"

    @pytest.mark.parametrize(
        ("outcome", "state"), [("submitted", "submitted"), ("failed", "waiting")]
    )
    def test_an_operator_says_what_became_of_it(self, box, outcome, state):
        command = box.command()
        box.ask(command)
        box.result(command, "unknown")
        said = box.result(command, outcome, source="operator", is_temporary=True, holder="")
        assert (said.state, said.source) == (state, "operator")

    def test_a_result_of_another_attempt_changes_nothing(self, box):
        command = box.command()
        box.ask(command, holder="a")
        count = len(box.states_of(command))
        box.result(command, "failed", holder="b", is_temporary=True)
        box.result(command, "unknown", holder="a", attempt=7)
        assert len(box.states_of(command)) == count

    def test_parts_that_were_taken_are_not_sent_again(self, box):
        command = box.command(text="x" * 400)
        box.ask(command)
        box.result(command, "failed", is_temporary=True, gateway_message_ids=["1", "", "3"])
        box.pass_time(NOON + MINUTE)
        assert box.ask(command, 2).parts == [2]
        state = box.result(command, "submitted", attempt=2, gateway_message_ids=["", "2"])
        assert state.gateway_message_ids == ["1", "2", "3"]


class TestStatuses:
    def test_delivered_is_never_submitted_again(self, box):
        command = box.command()
        box.ask(command)
        box.result(command, "submitted", gateway_message_id="f" * 32)
        box.callback(command, "004")
        assert box.callback(command, "003").state == "delivered"
        assert box.result(command, "submitted", gateway_message_id="f" * 32).state == "delivered"

    def test_a_status_before_the_answer_counts_and_the_answer_then_hides_nothing(self, box):
        command = box.command()
        box.ask(command)
        assert box.callback(command, "004").state == "delivered"
        assert box.result(command, "submitted", gateway_message_id="f" * 32).state == "delivered"
        assert box.ask(command).state == "delivered"

    def test_a_status_twice_is_said_once(self, box):
        command = box.command()
        box.ask(command)
        box.callback(command, "004")
        count = len(box.states_of(command))
        box.callback(command, "004")
        assert len(box.states_of(command)) == count

    def test_the_charge_is_exact(self, box):
        command = box.command()
        box.ask(command)
        state = box.callback(command, "003")
        assert (state.charge, state.charge_units) == ("0.300000", 900_000)

    def test_an_unknown_command_that_has_a_status_was_sent(self, box):
        command = box.command()
        box.ask(command)
        box.result(command, "unknown")
        state = box.callback(command, "003")
        assert (state.state, state.source) == ("submitted", "callback")

    def test_a_status_of_a_command_that_is_not_known_changes_nothing(self, box):
        command = box.command()
        other = type(command)(
            **{f: getattr(command, f) for f in command.__struct_fields__} | {"command_id": "0" * 32}
        )
        count = len(box.written(topics.MT_STATE))
        with pytest.raises(IndexError):
            box.callback(other, "004")
        assert len(box.written(topics.MT_STATE)) == count
        assert box.written(topics.DEAD_LETTER) == []

    @pytest.mark.parametrize("ids", [["a1", ""], ["", "a1"]])
    @pytest.mark.parametrize(("outcome", "final"), [("failed", True), ("unknown", False)])
    @pytest.mark.parametrize("is_early", [True, False])
    def test_the_receipt_of_a_part_says_nothing_of_a_part_that_was_not_taken(
        self, box, ids, outcome, final, is_early
    ):
        command = box.command(text="x" * 200)
        box.ask(command)
        if is_early:
            box.receipt("a1", "DELIVRD")
        box.result(command, outcome, final=final, gateway_message_ids=ids, code="11")
        for hours in range(1, 40):  # the gateway does not say what became of it
            box.pass_time(NOON + timedelta(hours=hours))
        if not is_early:
            box.receipt("a1", "DELIVRD")
        assert box.state_of(command).state == outcome

    @pytest.mark.parametrize("is_early", [True, False])
    @pytest.mark.parametrize("by", ["stop", "time"])
    def test_the_receipt_of_a_part_does_not_undo_the_refusal_of_the_other(self, box, by, is_early):
        """The second part was throttled; then a STOP or the time forbids its next attempt."""
        command = box.command(text="x" * 200)
        box.ask(command)
        if is_early:
            box.receipt("a1", "DELIVRD")
        box.result(command, "failed", is_temporary=True, gateway_message_ids=["a1", ""], code="58")
        if by == "stop":
            box.raw("STOP", at=NOON)
        else:
            box.pass_time(command.not_after + SECOND)
        if not is_early:
            box.receipt("a1", "DELIVRD")
        assert box.state_of(command).state == "refused"

    @pytest.mark.parametrize("status", ["005", "006", "007", "009", "010", "012", "014"])
    def test_each_final_status_of_a_failure_is_undelivered(self, box, status):
        command = box.command()
        box.ask(command)
        box.result(command, "submitted", gateway_message_id="f" * 32)
        assert box.callback(command, status).state == "undelivered"


class TestTime:
    def test_a_command_expires_whether_a_sender_asks_or_not(self, box):
        command = box.command()
        box.pass_time(command.not_after)
        assert box.states_of(command) == []
        box.pass_time(command.not_after + SECOND)
        assert box.state_of(command).state == "refused"
        assert [r.rule for r in box.rejections] == ["expired"]

    def test_nothing_is_left_of_a_command_a_week_after_it_was_sent(self, box):
        command = box.command()
        box.ask(command)
        box.result(command, "submitted", gateway_message_id="1")
        assert box.state.sizes()[SENT] == 2
        box.pass_time(NOON + timedelta(days=7, seconds=1))
        assert (box.state.sizes()[OUTBOX], box.state.sizes()[SENT]) == (0, 0)


def test_no_more_than_two_hundred_commands_are_open_for_a_handset(box):
    for number in range(201):
        box.request(f"r{number}")
    assert len(box.commands) == 200
    assert [r.rule for r in box.rejections] == ["too-many-open"]


def test_a_stop_empties_a_full_outbox_and_is_kept_itself(box):
    for number in range(200):
        box.request(f"r{number}")
    box.raw("STOP", at=NOON)
    assert [m.text for m in box.written(topics.MO_MESSAGE)] == ["STOP"]
    assert len(box.rejections) == 200
    assert HANDSET not in "".join(r.detail for r in box.rejections)
