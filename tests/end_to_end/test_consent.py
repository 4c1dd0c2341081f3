"""STOP on the running stack: what it refuses, how it is confirmed, what ends it (G7.1.1)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.wire import mo_log
from tests.support.rented_numbers import ANN

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]

DEFAULT_TEXT = f"You will no longer receive messages from the short code {ANN}"  # G7.1.1


def states(outside, handset, at_least):
    rows = outside.rows("consent_change", handset, at_least=at_least, order="recorded_at")
    return [(row["rule"], row["state"], row["gateway_state"]) for row in rows]


def commands(outside, handset, at_least=1):
    rows = outside.rows("mt_command", handset, at_least=at_least, order="at")
    return [(row["purpose"], row["text"], row["sender_id"]) for row in rows]


def test_g7_1_1_stop_refuses_and_says_why(outside, handset):
    outside.text(handset, "stop")
    decision = outside.decided(outside.ask_mt(to=handset, text="an offer"))
    assert decision["state"] == "rejection"
    assert decision["rule"] == "opted-out"
    (message,) = outside.rows("mo_message", handset)
    (change,) = outside.rows("consent_change", handset)
    (refused,) = outside.rows("mt_rejection", handset)
    assert refused["mo_message_id"] == change["mo_message_id"] == message["message_id"]
    assert (change["scope_kind"], change["scope"]) == ("number", ANN)
    assert (change["state"], change["gateway_state"]) == ("confirmation-due", "confirmation-due")
    assert change["at"] == message["gateway_time"]


def test_no_mt_overtakes_a_stop_that_was_acknowledged_before_it(outside):
    """The request is made as soon as STOP's 200 is there, for many handsets at once."""
    handsets = [outside.new_handset() for _ in range(60)]

    def stop_and_ask(handset: str) -> str:
        outside.text(handset, "STOP")
        return outside.ask_mt(to=handset, text="too late")

    with ThreadPoolExecutor(8) as pool:
        requests = list(pool.map(stop_and_ask, handsets))
    decisions = [outside.decided(request) for request in requests]
    assert {decision["state"] for decision in decisions} == {"rejection"}
    assert {decision["rule"] for decision in decisions} == {"opted-out"}


def test_a_reply_goes_out_once_however_often_it_is_asked_for(outside, handset):
    outside.text(handset, "hello")
    headers = {"Idempotency-Key": f"order-{handset}"}
    body = {"to": f"+{handset}", "text": "Thank you", "from": ANN}
    for _ in range(3):
        answer = outside.http.post(f"{outside.ingest}/mt", json=body, headers=headers)
        assert answer.status_code == 202
    other = {**body, "text": "Something else"}
    answer = outside.http.post(f"{outside.ingest}/mt", json=other, headers=headers)
    assert answer.status_code == 409
    decision = outside.decided(f"order-{handset}")
    assert decision["state"] == "command"
    outside.decided(outside.ask_mt(to=handset, text="later"))
    assert commands(outside, handset, at_least=2) == [
        ("reply", "Thank you", ANN),
        ("reply", "later", ANN),
    ]


def test_g7_1_1_an_application_confirms_and_a_later_message_re_enables(outside, handset):
    outside.text(handset, "Unsubscribe!", minutes="-3")
    early = outside.ask_mt(to=handset, text="You are off our list.", confirms_opt_out=True)
    assert outside.decided(early)["state"] == "command"
    again = outside.ask_mt(to=handset, text="Again.", confirms_opt_out=True)
    assert outside.decided(again)["rule"] == "confirmation-not-due"
    outside.text(handset, "I have changed my mind")
    assert states(outside, handset, 3) == [
        ("stop-word", "confirmation-due", "confirmation-due"),
        ("confirmed", "stopped", "stopped"),
        ("re-enabled", "open", "open"),
    ]
    assert outside.decided(outside.ask_mt(to=handset, text="Welcome back"))["state"] == "command"


def test_g7_1_1_the_default_text_goes_out_once_before_the_six_hours_end(outside):
    stopped, cancelled, late = (outside.new_handset() for _ in range(3))
    outside.text(stopped, "QUIT")
    outside.text(cancelled, "END", minutes="-2")
    outside.text(cancelled, "no, go on")
    outside.rows("consent_change", cancelled, at_least=2)
    # A retry that comes late: older than the message that re-enabled, so it changes only the past.
    outside.text(late, "hello again", minutes="-5")
    outside.rows("mo_message", late)
    outside.text(late, "STOP", minutes="-30")
    outside.running.cli("clock", "advance", "5h")
    assert states(outside, stopped, 1) == [("stop-word", "confirmation-due", "confirmation-due")]
    outside.running.cli("clock", "advance", "2h")
    assert commands(outside, stopped) == [("confirmation", DEFAULT_TEXT, ANN)]
    assert states(outside, stopped, 2)[-1] == ("confirmed", "stopped", "stopped")
    for handset in (cancelled, late):
        query = "SELECT count() AS n FROM mt_command WHERE handset = {h:String}"
        assert outside.sql(query, h=handset) == [{"n": 0}]
        assert outside.decided(outside.ask_mt(to=handset, text="hi"))["state"] == "command"


def test_an_incomplete_message_is_released_after_a_day_and_a_late_part_by_itself(
    outside, handset, tmp_path
):
    """The late part comes by the log: in a callback nobody believes a time that is so old."""
    outside.text(handset, "first ", udh="050003C20201")
    outside.rows("mo_part", handset)
    late = outside.callback(handset, b"second", udh="050003C20202")
    outside.running.cli("clock", "advance", "25h")
    (row,) = outside.rows("mo_message", handset)
    assert (row["text"], bool(row["complete"]), row["parts_missing"]) == ("first ", False, [2])
    log = tmp_path / "mo.log"
    log.write_bytes(mo_log.render(late) + b"\n")
    outside.running.cli("import", str(log))
    rows = outside.rows("mo_message", handset, at_least=2, order="received_at")
    assert (rows[1]["text"], bool(rows[1]["complete"])) == ("second", False)
    assert rows[1]["parts_missing"] == [1]
    assert rows[1]["flags"] == ["late-part"]
