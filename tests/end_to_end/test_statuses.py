"""The outcome of an MT, as the gateway reports it and as an operator reads it."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

import pytest

from pipeline.cli.ask.broker import Outgoing, publish
from pipeline.kafka import topics
from pipeline.records import MtResult
from tests.support.rented_numbers import ANN
from tests.wire.status.test_reports import soap_of, xml_of

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]


def passed(outside, handset):
    """A command that passed the gate."""
    command = outside.decided(outside.ask_mt(to=handset, text="Hello"))
    assert command["state"] == "command"
    return command


def saw(outside, command, outcome, **fields):
    """A sender that is not ours writes a result."""
    given = {
        "result_id": secrets.token_hex(16),
        "command_id": command["command_id"],
        "request_id": "",
        "handset": command["handset"],
        "outcome": outcome,
        "final": False,
        "gateway_message_id": "",
        "code": "",
        "words": "",
        "attempt": 1,
        "at": datetime.now(UTC),
    }
    record = MtResult(**given | fields)
    outgoing = Outgoing(topic=topics.MT_RESULT, record=record, key=command["handset"].encode())
    publish(outside.running.stack.kafka, [outgoing])


def once(outside, command, name):
    """The answer of `GET /mt/{request_id}` once the command has this state."""

    def stands():
        answer = outside.http.get(f"{outside.ingest}/mt/{command['request_id']}").json()
        return answer if answer.get("mt_state", {}).get("state") == name else None

    return outside.wait(stands, f"the command stands as {name}")


def report(outside, way, **variables):
    """Send the gateway's status callback; return the answer."""
    if way == "http":
        query = urlencode(variables)
    else:
        query = "data=" + quote({"xml": xml_of, "soap": soap_of}[way](variables))
    return outside.http.get(f"{outside.ingest}/status/{way}?{query}").status_code


@pytest.mark.parametrize("way", ["http", "xml", "soap"])
def test_a_status_is_shown_everywhere(outside, handset, way):
    command, gateway_id = passed(outside, handset), secrets.token_hex(16)
    saw(outside, command, "submitted", gateway_message_id=gateway_id)
    assert once(outside, command, "submitted")["outcome"] == "submitted"
    # Without `to`: the handset is that of the command which the gateway's id names.
    given = {"apiMsgId": gateway_id, "status": "004", "charge": "0.300000", "api_id": "other"}
    assert report(outside, way, **given) == 200
    shown = once(outside, command, "delivered")
    assert (shown["state"], shown["outcome"], shown["final"]) == ("result", "delivered", True)
    assert (shown["mt_state"]["charge"], shown["mt_state"]["charge_units"]) == ("0.300000", 900_000)
    # What comes late does not go back.
    assert report(outside, way, **given | {"to": handset, "status": "003"}) == 200
    saw(outside, command, "submitted", gateway_message_id=gateway_id)
    then = passed(outside, handset)  # all before it was worked off
    assert once(outside, command, "delivered")["outcome"] == "delivered"

    def told():
        rows = outside.sql(
            "SELECT id, note FROM two_way WHERE handset = {h:String} AND direction = 'MT'",
            h=handset,
        )
        notes = {row["id"]: row["note"] for row in rows}
        is_there = notes.get(command["command_id"], "").startswith("reply; delivered 004")
        return notes if is_there and then["command_id"] in notes else None

    outside.wait(told, "the conversation says that it was delivered")
    for line in (("mt", "show", command["request_id"]), ("why", command["command_id"])):
        words = outside.running.cli(*line).stdout
        assert f"command {command['command_id']}, request {command['request_id']}" in words
        assert f"by a status callback, the gateway's id {gateway_id}" in words
        assert words.splitlines()[-1].startswith("now: delivered (004")


def test_a_status_of_nobody_is_a_dead_letter(outside):
    assert report(outside, "http", apiMsgId=secrets.token_hex(16), status="004") == 400
    assert report(outside, "http") == 200


@pytest.mark.parametrize(("word", "stands"), [("--sent", "submitted"), ("--not-sent", "waiting")])
def test_an_operator_resolves_what_is_unknown_and_nothing_else(outside, handset, word, stands):
    command = passed(outside, handset)
    line = ("mt", "resolve", command["command_id"], word, "--reason", "Asked.", "--by", "anna")

    def stored():
        sql = "SELECT state FROM mt_now WHERE handset = {h:String} AND state = {s:String}"
        return outside.sql(sql, h=handset, s=wanted) or None

    refused = outside.running.cli(*line, check=False)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "no sender has asked for it" in refused.stderr
    saw(outside, command, "unknown", words="the connection broke")
    assert once(outside, command, "unknown")["outcome"] == "unknown"
    wanted = "unknown"
    outside.wait(stored, "the store has its state")
    assert "unknown  " in outside.running.cli("status").stdout
    outside.running.cli(*line)
    once(outside, command, stands)
    wanted = stands
    outside.wait(stored, "the store has its state")
    words = outside.running.cli("mt", "show", command["command_id"]).stdout
    assert "an operator saw" in words
    assert "anna: Asked." in words
    refused = outside.running.cli(*line, check=False)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"it stands as {stands}, not as unknown" in refused.stderr


def test_a_request_that_is_refused_is_waited_for(outside, handset):
    outside.text(handset, "STOP")
    line = ("mt", "--to", handset, "--text", "news", "--from", ANN, "--wait")
    told = outside.running.cli(*line, check=False)
    assert told.returncode == 1
    assert "refused: opted-out" in told.stdout.splitlines()[-1]
