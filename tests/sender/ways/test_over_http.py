"""HTTP, XML and SOAP with a gateway that does what its documents say."""

import asyncio

import pytest

from pipeline.records import Outcome
from pipeline.sender.apis.api import WayName
from pipeline.sender.way import Answer, Found, PermitEnded, ProbeFailed, Trouble
from tests.sender.ways.counterpart import (
    MESSAGE_ID,
    SESSION,
    WAYS,
    counterpart,
    line_as,
    response,
    way_to,
)
from tests.support.submissions import COMMAND, submission_of

pytestmark = pytest.mark.parametrize("name", list(WAYS))
SUBMITTED = Answer(outcome=Outcome.SUBMITTED, gateway_message_ids=(MESSAGE_ID,))


def always() -> bool:
    return True


async def test_a_message_is_taken_once_and_the_session_is_kept(name):
    async with counterpart(name) as peer, way_to(peer) as way:
        for _ in range(3):
            assert await way.submit(submission_of(), always) == (SUBMITTED,)
        assert [operation for operation, _ in peer.seen] == ["auth", *["sendmsg"] * 3]
        assert peer.connections == 1
        assert all(SESSION.encode() in request for _, request in peer.seen[1:])
        assert all(COMMAND.command_id.encode() in request for _, request in peer.seen[1:])


async def test_fifty_at_a_time_log_in_once(name):
    async with counterpart(name) as peer, way_to(peer) as way:
        seen = await asyncio.gather(*(way.submit(submission_of(), always) for _ in range(50)))
        assert seen == [(SUBMITTED,)] * 50
        assert (peer.count("auth"), peer.count("sendmsg")) == (1, 50)


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (
            "ERR: 105, Invalid Destination Address",
            Answer(outcome=Outcome.FAILED, code="105", words="Invalid Destination Address"),
        ),
        (
            "ERR: 122, Destination mobile opted out",
            Answer(outcome=Outcome.FAILED, code="122", words="Destination mobile opted out"),
        ),
        (
            "ERR: 999, New",
            Answer(
                outcome=Outcome.FAILED, code="999", words="New (an error code that is not known)"
            ),
        ),
        (
            "ERR: 901, Internal error",
            Answer(outcome=Outcome.FAILED, is_temporary=True, code="901", words="Internal error"),
        ),
        (
            "ERR: 301, No Credit Left",
            Answer(
                outcome=Outcome.FAILED,
                is_temporary=True,
                code="301",
                words="No Credit Left",
                trouble=Trouble.REFUSED,
            ),
        ),
        (
            "ERR: 130, Maximum MT limit exceeded until 9999999999",
            Answer(
                outcome=Outcome.FAILED,
                is_temporary=True,
                code="130",
                words="Maximum MT limit exceeded until [number]",
                trouble=Trouble.THROTTLED,
                retry_after_seconds=24 * 3600,
            ),
        ),
    ],
    ids=lambda value: value[5:8] if isinstance(value, str) else "",
)
async def test_a_refusal_is_what_its_code_says(name, line, answer):
    async with counterpart(name) as peer, way_to(peer) as way:
        peer.says("sendmsg", line)
        assert await way.submit(submission_of(), always) == (answer,)
        assert peer.count("sendmsg") == 1


@pytest.mark.parametrize("line", ["ERR: 003, Session ID expired", "ERR: 005, Missing session ID"])
async def test_a_session_that_ended_is_renewed_within_the_attempt(name, line):
    async with counterpart(name) as peer, way_to(peer) as way:
        taken = peer.answers["sendmsg"]
        answers = iter([response(line_as(name, "sendmsg", line)), taken(), taken()])
        peer.answers["sendmsg"] = lambda: next(answers)
        for _ in range(2):
            assert await way.submit(submission_of(), always) == (SUBMITTED,)
        assert [operation for operation, _ in peer.seen] == [
            *("auth", "sendmsg", "auth", "sendmsg", "sendmsg")
        ]


async def test_a_session_is_renewed_once_and_no_more(name):
    async with counterpart(name) as peer, way_to(peer) as way:
        peer.says("sendmsg", "ERR: 003, Session ID expired")
        (answer,) = await way.submit(submission_of(), always)
        assert (answer.outcome, answer.is_temporary) == (Outcome.FAILED, True)
        assert (answer.trouble, answer.code) == (Trouble.REFUSED, "003")
        assert (peer.count("auth"), peer.count("sendmsg")) == (2, 2)


async def test_a_permit_is_looked_at_when_all_is_ready_and_again_for_a_second_call(name):
    async with counterpart(name) as peer, way_to(peer) as way:
        looks = []

        def may_go():
            looks.append((peer.connections, peer.count("auth"), peer.count("sendmsg")))
            return len(looks) < 2

        peer.says("sendmsg", "ERR: 003, Session ID expired")
        with pytest.raises(PermitEnded):
            await way.submit(submission_of(), may_go)
        assert looks == [(1, 1, 0), (1, 2, 1)]
        assert peer.count("sendmsg") == 1


async def test_without_a_permit_no_octet_leaves(name):
    async with counterpart(name) as peer, way_to(peer) as way:
        with pytest.raises(PermitEnded):
            await way.submit(submission_of(), lambda: False)
        assert await way.submit(submission_of(), always) == (SUBMITTED,)
        assert [operation for operation, _ in peer.seen] == ["auth", "sendmsg"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a" * 500, "too-many-parts: 4 of 3 allowed, in GSM 7 bit"),
        ("a\udc80", "not-unicode: the text holds half of a surrogate pair"),
    ],
    ids=["too long", "half a character"],
)
async def test_what_cannot_go_is_failed_and_nothing_is_sent(name, text, words):
    async with counterpart(name) as peer, way_to(peer) as way:
        (answer,) = await way.submit(submission_of(text=text), always)
        assert answer == Answer(outcome=Outcome.FAILED, words=words)
        assert peer.count("sendmsg") == 0


async def test_characters_that_xml_lacks_are_failed_and_nothing_is_sent(name):
    async with counterpart(name) as peer, way_to(peer) as way:
        (answer,) = await way.submit(submission_of(sender_id="a\x01"), always)
        if name is not WayName.HTTP:
            assert answer.outcome == Outcome.FAILED
            assert answer.words.startswith("not-in-xml: from ")
            assert peer.count("sendmsg") == 0


async def test_a_probe_logs_in_anew_and_pings_and_sends_nothing(name):
    async with counterpart(name) as peer, way_to(peer) as way:
        for _ in range(2):
            assert await way.probe() == "logged in, and the gateway answered a ping"
        assert [operation for operation, _ in peer.seen] == ["auth", "ping"] * 2


@pytest.mark.parametrize(
    ("operation", "line", "words"),
    [
        ("auth", "ERR: 001, Authentication failed", "login: Authentication failed"),
        ("ping", "ERR: 007, IP Lockdown violation", "IP Lockdown violation"),
    ],
)
async def test_a_probe_says_why_it_fails(name, operation, line, words):
    async with counterpart(name) as peer, way_to(peer) as way:
        peer.says(operation, line)
        with pytest.raises(ProbeFailed, match=words):
            await way.probe()


async def test_a_message_is_asked_about_by_its_command_id_with_what_it_cost(name):
    async with counterpart(name) as peer, way_to(peer) as way:
        assert await way.ask_about(COMMAND.command_id) == Found(
            is_known=True, gateway_message_id=MESSAGE_ID, status="003", charge="0.33"
        )
        (asked,) = [request for operation, request in peer.seen if operation == "querymsg"]
        assert COMMAND.command_id.encode() in asked


@pytest.mark.parametrize("code", ["103", "104"])
async def test_a_message_that_the_gateway_does_not_know_is_not_known(name, code):
    async with counterpart(name) as peer, way_to(peer) as way:
        peer.says("querymsg", f"ERR: {code}, Unknown")
        assert await way.ask_about("a") == Found(is_known=False, code=code, words="Unknown")
        peer.says("querymsg", "ERR: 901, Internal error")
        assert (await way.ask_about("a")).is_known is None
        peer.answers["querymsg"] = lambda: response(b"<html>busy</html>", status="503 Busy")
        assert (await way.ask_about("a")).is_known is None


async def test_a_charge_that_is_not_said_leaves_the_status(name):
    async with counterpart(name) as peer, way_to(peer) as way:
        peer.says("getmsgcharge", "ERR: 103, Unknown API message ID")
        assert await way.ask_about("a") == Found(
            is_known=True, gateway_message_id=MESSAGE_ID, status="003"
        )


async def test_a_session_that_ended_and_no_new_one_in_time_is_not_sent(name):
    async with counterpart(name) as peer, way_to(peer, timeout_seconds=0.3) as way:
        peer.says("sendmsg", "ERR: 003, Session ID expired")

        def may_go():
            peer.hangs_on = "auth"
            return True

        (answer,) = await way.submit(submission_of(), may_go)
        assert (answer.outcome, answer.is_temporary) == (Outcome.FAILED, True)
        assert answer.trouble is Trouble.UNREACHABLE
        assert [operation for operation, _ in peer.seen] == ["auth", "sendmsg", "auth"]


async def test_an_answer_that_names_another_handset_is_unknown(name):
    async with counterpart(name) as peer, way_to(peer) as way:
        for to, outcome in (("447700900124", Outcome.UNKNOWN), (COMMAND.handset, "submitted")):
            body = line_as(name, "sendmsg", f"ID: {MESSAGE_ID}")
            body = body.replace(MESSAGE_ID.encode(), f"{MESSAGE_ID} To:{to}".encode())
            peer.answers["sendmsg"] = lambda body=body: response(body)
            (answer,) = await way.submit(submission_of(), always)
            assert answer.outcome == outcome
