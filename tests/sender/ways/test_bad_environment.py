"""Whatever the peer does: an outcome with words, one request, and the next message goes."""

import asyncio
import gzip
import logging
import socket
import ssl
from urllib.parse import quote

import pytest
import trustme

from pipeline.process.client_tls import TlsError
from pipeline.records import Outcome
from pipeline.sender.apis.api import WayName
from pipeline.sender.way import Answer, Trouble
from pipeline.sender.ways.http import HttpWay
from tests.sender.ways.counterpart import (
    MESSAGE_ID,
    PASSWORD,
    WAYS,
    Counterpart,
    api_of,
    counterpart,
    line_as,
    response,
    way_to,
)
from tests.support.submissions import COMMAND, submission_of

CLOSE = "Connection: close\r\n"
HTML = b"<html><body><h1>ID: 5</h1></body></html>"
TAKEN = {name: line_as(name, "sendmsg", f"ID: {MESSAGE_ID}") for name in WAYS}


def always() -> bool:
    return True


def unknown(words: str, **more) -> Answer:
    return Answer(outcome=Outcome.UNKNOWN, words=words, **more)


def failed(words: str, **more) -> Answer:
    return Answer(outcome=Outcome.FAILED, words=words, **more)


ANSWERS = [
    pytest.param(lambda _: response(HTML), "unknown", "<html>", {}, id="HTML"),
    pytest.param(lambda _: response(b""), "unknown", "an empty answer", {}, id="empty"),
    pytest.param(lambda _: response(b"\r\n "), "unknown", "an empty answer", {}, id="blank"),
    pytest.param(lambda _: b"", "unknown", "Server disconnected", {}, id="closed without a word"),
    pytest.param(lambda _: b"ID: 5\r\n\r\n", "unknown", "", {}, id="a line without HTTP"),
    pytest.param(
        lambda taken: response(taken[: len(taken) // 2], length=len(taken), headers=CLOSE),
        "unknown", "", {}, id="cut in half",
    ),
    pytest.param(
        lambda taken: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        + b"%x\r\n%b\r\n" % (len(taken), taken),
        "unknown", "", {}, id="chunks that do not end",
    ),
    pytest.param(
        lambda taken: response(taken + b" " * 70_000),
        "unknown", "more than 65536 octets, which begin: ", {}, id="an ID before 70 kB",
    ),
    pytest.param(
        lambda taken: response(taken, headers=f"X: {'a' * 100_000}\r\n"),
        "unknown", "", {}, id="a header of 100 kB",
    ),
    pytest.param(
        lambda taken: response(taken.decode().encode("cp037")),
        "unknown", "", {}, id="EBCDIC that does not say so",
    ),
    pytest.param(
        lambda taken: response(gzip.compress(taken), headers="Content-Encoding: gzip\r\n"),
        "unknown", "", {}, id="compressed, though not asked for",
    ),
    pytest.param(
        lambda taken: response(taken, status="302 Found", headers="Location: /http/again\r\n"),
        "unknown", "HTTP 302: ", {}, id="redirect",
    ),
    pytest.param(
        lambda taken: response(taken, status="307 Again", headers="Location: /http/again\r\n"),
        "unknown", "HTTP 307: ", {}, id="redirect that keeps POST",
    ),
    pytest.param(
        lambda _: response(HTML, status="500 Internal"), "unknown", "HTTP 500: ", {}, id="500"
    ),
    pytest.param(
        lambda taken: response(taken, status="500 Internal"),
        "unknown", "HTTP 500: ", {}, id="500 with an ID",
    ),
    pytest.param(
        lambda taken: response(taken, status="429 Slow"),
        "unknown", "HTTP 429: ", {}, id="429 with an ID",
    ),
    pytest.param(
        lambda taken: response(taken, status="404 Absent"),
        "unknown", "HTTP 404: ", {}, id="404 with an ID",
    ),
    pytest.param(lambda _: response(HTML, status="502 Bad"), "unknown", "HTTP 502: ", {}, id="502"),
    pytest.param(
        lambda _: response(HTML, status="503 Busy"), "unknown", "HTTP 503: ", {}, id="503"
    ),
    pytest.param(
        lambda _: response(b"later", status="503 Busy", headers="Retry-After: 7\r\n"),
        "unknown", "HTTP 503: later",
        {"trouble": Trouble.THROTTLED, "retry_after_seconds": 7}, id="503 with Retry-After",
    ),
    pytest.param(
        lambda _: response(b"late", status="408 Timeout"), "unknown", "HTTP 408: ", {}, id="408"
    ),
    pytest.param(
        lambda _: response(b"slow", status="429 Slow", headers="Retry-After: 30\r\n"),
        "failed", "HTTP 429: slow",
        {"is_temporary": True, "trouble": Trouble.THROTTLED, "retry_after_seconds": 30}, id="429",
    ),
    pytest.param(
        lambda _: response(b"slow", status="429 Slow"),
        "failed", "HTTP 429: slow", {"is_temporary": True, "trouble": Trouble.THROTTLED},
        id="429 without Retry-After",
    ),
    pytest.param(
        lambda _: response(b"no", status="400 Bad"), "failed", "HTTP 400: no", {}, id="400"
    ),
    pytest.param(
        lambda _: response(HTML, status="404 Absent"),
        "failed", "HTTP 404: ", {"is_temporary": True, "trouble": Trouble.REFUSED}, id="404",
    ),
    pytest.param(
        lambda _: response(HTML, status="403 Forbidden"),
        "failed", "HTTP 403: ", {"is_temporary": True, "trouble": Trouble.REFUSED}, id="403",
    ),
]  # fmt: skip


@pytest.mark.parametrize("name", list(WAYS))
@pytest.mark.parametrize(("octets", "outcome", "words", "more"), ANSWERS)
async def test_an_answer_that_is_none_has_an_outcome_and_is_not_asked_for_again(
    name, octets, outcome, words, more
):
    async with counterpart(name) as peer, way_to(peer) as way:
        good = peer.answers["sendmsg"]
        peer.answers["sendmsg"] = lambda: octets(TAKEN[name])
        (answer,) = await way.submit(submission_of(), always)
        assert answer == Answer(outcome=Outcome(outcome), words=answer.words, **more)
        assert words in answer.words
        assert 0 < len(answer.words) <= 400
        assert peer.count("sendmsg") == 1
        peer.answers["sendmsg"] = good
        (answer,) = await way.submit(submission_of(), always)
        assert answer.outcome == Outcome.SUBMITTED
        assert [operation for operation, _ in peer.seen] == ["auth", "sendmsg", "sendmsg"]


@pytest.mark.parametrize("name", list(WAYS))
async def test_a_socket_that_hangs_is_unknown_in_time(name):
    async with counterpart(name, hangs_on="sendmsg") as peer:
        async with way_to(peer, timeout_seconds=0.3) as way:
            assert await way.submit(submission_of(), always) == (unknown("no answer within 0.3 s"),)
            peer.hangs_on = ""
            (answer,) = await way.submit(submission_of(), always)
            assert answer.outcome == Outcome.SUBMITTED
        assert peer.count("sendmsg") == 2


@pytest.mark.parametrize("name", list(WAYS))
async def test_a_login_that_hangs_sends_nothing(name):
    async with counterpart(name, hangs_on="auth") as peer:
        async with way_to(peer, timeout_seconds=0.3) as way:
            (answer,) = await way.submit(submission_of(), always)
            assert (answer.outcome, answer.is_temporary) == (Outcome.FAILED, True)
            assert answer.trouble is Trouble.UNREACHABLE
        assert peer.count("sendmsg") == 0


@pytest.mark.parametrize("name", list(WAYS))
@pytest.mark.parametrize(
    ("octets", "trouble"),
    [
        pytest.param(lambda name: response(HTML), Trouble.UNREACHABLE, id="HTML"),
        pytest.param(lambda name: response(b"", status="500 No"), Trouble.UNREACHABLE, id="500"),
        pytest.param(lambda name: response(b"", status="401 No"), Trouble.REFUSED, id="401"),
        pytest.param(lambda name: response(b"", status="429 No"), Trouble.THROTTLED, id="429"),
        pytest.param(
            lambda name: response(line_as(name, "auth", "ERR: 001, No")), Trouble.REFUSED, id="001"
        ),
        pytest.param(
            lambda name: response(line_as(name, "auth", "ERR: 101, No")), Trouble.REFUSED, id="101"
        ),
        pytest.param(
            lambda name: response(line_as(name, "auth", "OK: ")), Trouble.UNREACHABLE, id="no id"
        ),
    ],
)
async def test_a_login_that_fails_sends_nothing_and_is_tried_once_for_all(name, octets, trouble):
    async with counterpart(name, seconds=0.05) as peer, way_to(peer) as way:
        peer.answers["auth"] = lambda: octets(name)
        answers = await asyncio.gather(*(way.submit(submission_of(), always) for _ in range(9)))
        assert len(set(answers)) == 1
        ((answer,),) = set(answers)
        assert (answer.outcome, answer.is_temporary) == (Outcome.FAILED, True)
        assert answer.trouble is trouble
        assert answer.words.startswith("login: ")
        assert [operation for operation, _ in peer.seen] == ["auth"]


@pytest.mark.parametrize("logged_in", [False, True])
async def test_nobody_at_the_port_is_not_sent_and_the_permit_is_not_looked_at(logged_in):
    async with counterpart(closes=True) as peer:
        way = HttpWay(api_of(peer))
        if logged_in:
            await way.probe()
    looks = []
    (answer,) = await way.submit(submission_of(), lambda: not looks.append(1))
    await way.close()
    assert (answer.outcome, answer.is_temporary) == (Outcome.FAILED, True)
    assert answer.trouble is Trouble.UNREACHABLE
    assert "Connect call failed" in answer.words
    assert not looks


@pytest.mark.parametrize(
    "url", ["http://no-such-host.invalid", "http://127.0.0.1:1"], ids=["no name", "no port"]
)
async def test_an_address_that_is_none_is_not_sent(url):
    way = HttpWay(api_of(Counterpart(), url=url, tls="plain"))
    (answer,) = await way.submit(submission_of(), always)
    await way.close()
    assert (answer.outcome, answer.is_temporary) == (Outcome.FAILED, True)
    assert answer.trouble is Trouble.UNREACHABLE


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


def context_of(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


@pytest.mark.parametrize(
    ("issued_to", "knows_authority", "outcome"),
    [
        ("127.0.0.1", True, Outcome.SUBMITTED),
        ("127.0.0.2", True, Outcome.FAILED),
        ("127.0.0.1", False, Outcome.FAILED),
    ],
    ids=["that matches", "of another name", "of an authority that is not known"],
)
async def test_a_certificate_is_checked(tmp_path, authority, issued_to, knows_authority, outcome):
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    async with counterpart(tls=context_of(authority, issued_to)) as peer:
        ca = str(tmp_path / "ca.pem") if knows_authority else ""
        url = f"https://127.0.0.1:{peer.port}"
        async with way_to(peer, url=url, tls="on", ca=ca) as way:
            (answer,) = await way.submit(submission_of(), always)
        assert answer.outcome == outcome
        if outcome == Outcome.FAILED:
            assert answer.trouble is Trouble.UNREACHABLE
            assert "certificate verify failed" in answer.words.lower()
            assert peer.seen == []


async def test_a_peer_that_speaks_no_tls_is_not_sent():
    async with counterpart() as peer:
        url = f"https://127.0.0.1:{peer.port}"
        async with way_to(peer, url=url, tls="on", timeout_seconds=0.5) as way:
            (answer,) = await way.submit(submission_of(), always)
        assert (answer.outcome, answer.trouble) == (Outcome.FAILED, Trouble.UNREACHABLE)
        assert peer.seen == []


async def test_a_tls_handshake_that_hangs_is_not_sent_and_the_permit_is_not_looked_at():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        peer = Counterpart(port=listening.getsockname()[1])
        async with way_to(
            peer, url=f"https://127.0.0.1:{peer.port}", tls="on", timeout_seconds=0.3
        ) as way:
            looks = []
            (answer,) = await way.submit(submission_of(), lambda: not looks.append(1))
    assert (answer.outcome, answer.trouble) == (Outcome.FAILED, Trouble.UNREACHABLE)
    assert not looks


@pytest.mark.parametrize(
    ("url", "tls", "words"),
    [
        ("http://sms.example", "on", "url begins with http, which tls = on contradicts"),
        ("https://sms.example", "plain", "url begins with https, which tls = plain contradicts"),
        ("http://sms.example", "off", "loopback"),
        ("ftp://sms.example", "on", "url must be"),
        ("sms.example", "on", "url must be"),
        ("https://", "on", "url must be"),
    ],
)
def test_an_address_without_tls_has_to_be_said_to_be_so(url, tls, words):
    with pytest.raises(TlsError, match=words):
        HttpWay(api_of(Counterpart(), url=url, tls=tls))


async def test_a_connection_that_was_closed_while_idle_is_not_used_again():
    async with counterpart(closes=True) as peer, way_to(peer) as way:
        for _ in range(5):
            (answer,) = await way.submit(submission_of(), always)
            assert answer.outcome == Outcome.SUBMITTED
            await peer.until(lambda: not peer.open_writers)
        assert (peer.count("sendmsg"), peer.connections) == (5, 6)


async def test_a_kept_connection_that_closes_after_reading_has_seen_one_request():
    """aiohttp repeats GET in this case; a repeated POST would be a second message."""
    async with counterpart() as peer, way_to(peer) as way:
        await way.submit(submission_of(), always)
        peer.answers["sendmsg"] = lambda: b""
        (answer,) = await way.submit(submission_of(), always)
        assert answer.outcome == Outcome.UNKNOWN
        assert (peer.count("sendmsg"), peer.connections) == (2, 1)


@pytest.mark.parametrize("is_read_at_once", [True, False])
@pytest.mark.parametrize(
    "unasked",
    [
        response(b"ID: 666"),
        response(b"slow", status="408 Request Timeout", headers=CLOSE),
        b"\r\n",
    ],
    ids=["an ID", "408, as proxies say to idle connections", "a line end"],
)
async def test_what_a_peer_says_unasked_answers_nothing(unasked, is_read_at_once):
    async with counterpart() as peer, way_to(peer) as way:
        await way.submit(submission_of(), always)
        (writer,) = peer.open_writers
        writer.write(unasked)
        if is_read_at_once:
            await asyncio.sleep(0.05)  # until the client has it: nobody says so
        peer.says("sendmsg", "ERR: 105, Invalid Destination Address")
        (answer,) = await way.submit(submission_of(), always)
        assert answer == failed("Invalid Destination Address", code="105")
        assert peer.count("sendmsg") == 2


async def test_what_hangs_holds_up_nothing_else():
    async with (
        counterpart(hangs_on="sendmsg") as peer,
        way_to(peer, timeout_seconds=1.0) as way,
    ):
        await way.probe()
        hanging = asyncio.create_task(way.submit(submission_of(), always))
        await peer.until(lambda: peer.count("sendmsg") == 1)
        peer.hangs_on = ""
        (answer,) = await way.submit(submission_of(), always)
        assert answer.outcome == Outcome.SUBMITTED
        assert not hanging.done()
        (answer,) = await hanging
        assert answer.outcome == Outcome.UNKNOWN


@pytest.mark.parametrize("name", list(WAYS))
@pytest.mark.parametrize("status", ["200 OK", "400 Bad", "500 Internal"])
async def test_no_secret_and_no_number_is_in_words_or_logs(name, status, caplog):
    caplog.set_level(logging.DEBUG)
    session = "0123456789abcdeffedcba9876543210"
    echoed = " ".join(
        (PASSWORD, quote(PASSWORD), session, COMMAND.handset, COMMAND.sender_id, "end")
    )
    async with counterpart(name) as peer, way_to(peer) as way:
        peer.says("auth", f"OK: {session}")
        lines = (
            line_as(name, "sendmsg", f"ERR: 114, {echoed}"),
            echoed.encode(),
            b"\xff" + TAKEN[name],
        )
        for body in lines:
            peer.answers["sendmsg"] = lambda body=body: response(body, status=status)
            (answer,) = await way.submit(submission_of(), always)
            said = answer.words + caplog.text
            for secret in (PASSWORD, quote(PASSWORD), session, COMMAND.handset, COMMAND.sender_id):
                assert secret not in said
        peer.answers["auth"] = lambda: response(echoed.encode(), status="500 No")
        way._calls.login.drop()
        (answer,) = await way.submit(submission_of(), always)
        assert PASSWORD not in answer.words + caplog.text


async def test_a_session_that_was_not_used_for_ten_minutes_is_left():
    now = [0.0]
    async with counterpart() as peer, way_to(peer) as way:
        way._calls.login._clock = lambda: now[0]
        for now[0], logins in ((0.0, 1), (599.0, 1), (1198.0, 1), (1798.0, 2), (1799.0, 2)):
            (answer,) = await way.submit(submission_of(), always)
            assert answer.outcome == Outcome.SUBMITTED
            assert peer.count("auth") == logins


async def test_a_way_ends_with_a_login_under_way():
    async with counterpart(WayName.HTTP, hangs_on="auth") as peer:
        way = HttpWay(api_of(peer))
        waiting = asyncio.create_task(way.submit(submission_of(), always))
        await peer.until(lambda: peer.count("auth") == 1)
        await way.close()
        (answer,) = await waiting
        assert (answer.outcome, answer.is_temporary) == (Outcome.FAILED, True)
        assert peer.count("sendmsg") == 0
