"""The golden rows of what is sent, and of the gateway's answers."""

from urllib.parse import parse_qsl

import pytest

from pipeline.sender.ways.over_http.posting import Response
from pipeline.sender.ways.over_http.verdict import answer_of
from pipeline.wire.clickatell.answers import RefusedReply, Taken, Well
from pipeline.wire.clickatell.call import GatewayCall
from pipeline.wire.clickatell.http import HttpWire
from pipeline.wire.clickatell.message import message_from_command
from pipeline.wire.clickatell.soap import SoapWire
from pipeline.wire.clickatell.xml import XmlWire
from tests.support.golden_rows import all_rows, golden_rows
from tests.support.submissions import COMMAND, command_of

WIRES = {"http": HttpWire(), "xml": XmlWire(), "soap": SoapWire()}
SUBMITTED = golden_rows("mt_submit")
ANSWERED = golden_rows("mt_answers")


@pytest.mark.parametrize("name", ["mt_submit", "mt_answers", "mt_texts"])
def test_a_row_is_named_once_and_says_where_it_comes_from(name):
    rows = all_rows(name)
    assert len({row["id"] for row in rows}) == len(rows)
    assert all(row["source"] and row["input"] for row in rows)
    assert all(row["ours"]["because"] for row in rows if "ours" in row)


@pytest.mark.parametrize("row", [row for row in SUBMITTED if "expected_request" in row.values[0]])
def test_a_form_has_what_the_source_sends_but_for_what_the_row_says(row):
    given = row["input"]
    command = command_of(
        text=given["message"], handset=given["to"].strip("tel:+"), sender_id=given["channel_from"]
    )
    message = message_from_command(command, callback=7, max_parts=3, required_features=0)
    sent = dict(parse_qsl(HttpWire().send("its-session", message).octets.decode("ascii")))
    expected = {**row["expected_request"], "concat": row["ours"]["concat"]}
    for name in row["ours"]["left_out"]:
        del expected[name]
    ours = {"session_id": "its-session", "cliMsgId": COMMAND.command_id, "deliv_ack": "1"}
    assert sent == expected | ours


@pytest.mark.parametrize("row", golden_rows("mt_texts"))
def test_a_text_is_in_a_form_as_the_document_has_it(row):
    command = command_of(text=row["input"]["text"], sender_id="", mo=False)
    message = message_from_command(command, callback=7, max_parts=3, required_features=0)
    octets = HttpWire().send("its-session", message).octets
    assert f"&{row['expected']['form']}&".encode("ascii") in octets + b"&"


@pytest.mark.parametrize("row", SUBMITTED)
def test_an_answer_is_what_the_row_says_it_is(row):
    given = row.get("gateway_response") or {
        "status": row["input"].get("status", 200),
        "body": row["input"]["gateway_body"],
    }
    response = Response(
        status=given["status"], octets=given["body"].encode(), is_whole=True, retry_after=""
    )
    reply = HttpWire().read(GatewayCall("sendmsg", "", b""), response.octets)
    answer = answer_of(response, reply, now=0.0)
    ours = row["ours"]
    assert answer.outcome == ours["outcome"]
    assert answer.is_temporary == ours.get("is_temporary", False)
    assert list(answer.gateway_message_ids) == ours.get("gateway_message_ids", [])
    assert answer.code == ours.get("code", "")
    assert answer.words == ours.get("words", answer.words)


@pytest.mark.parametrize("row", ANSWERED)
def test_an_answer_of_a_document_is_read_as_it_means(row):
    given, expected = row["input"], row["expected"]
    call = GatewayCall(given["operation"], "", b"")
    reply = WIRES[given["wire"]].read(call, given["body"].encode(), to=given.get("to", ""))
    match reply:
        case Taken():
            seen = {
                "id": reply.gateway_message_id,
                **({"status": reply.status} if reply.status else {}),
                **({"charge": reply.charge} if reply.charge else {}),
            }
        case RefusedReply():
            seen = {"code": reply.code, "words": reply.words}
        case Well():
            seen = {"session": reply.value}
        case _:
            seen = None
    assert seen == expected
