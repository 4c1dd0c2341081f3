"""The way by SMTP with a server that answers, refuses, is silent, lies and breaks off."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from pipeline.records import Outcome
from pipeline.sender.way import PermitEnded, ProbeFailed, Trouble
from pipeline.sender.ways.smtp import way as smtp_way
from pipeline.sender.ways.smtp.way import HANDED_OVER, SmtpWay
from tests.sender.ways.apis import SECRET, always, never, submission_of
from tests.sender.ways.mail_server import (
    CLOSE,
    HANG,
    PLAIN,
    MailServer,
    lines_of,
    mailing,
    smtp_api,
)

SOON = 0.3  # seconds
LONG = b"250-" + b"x" * 70 + b"\r\n"
TEN_MEGABYTES = LONG * 140_000
BEFORE = ["greeting", "EHLO", "MAIL", "RCPT", "DATA"]


async def goes_on(way: SmtpWay, server: MailServer) -> None:
    """The next command goes as usual."""
    before = len(server.mails)
    (answer,) = await way.submit(submission_of("next"), always)
    assert (answer.outcome, answer.words) == (Outcome.SUBMITTED, HANDED_OVER)
    assert ["text:next" in lines_of(mail) for mail in server.mails[before:]] == [True]


async def test_a_mail_is_handed_over() -> None:
    async with mailing() as (way, server):
        (answer,) = await way.submit(submission_of("line one\nline two"), always)
        assert answer.outcome is Outcome.SUBMITTED
        assert (answer.gateway_message_ids, answer.part_number) == ((), 0)
        (mail,) = server.mails
        assert b"\r\nMessage-ID: <e3f19b7c5d0a4862b1c7f4093ad8625e@example.com>\r\n" in mail
        assert list(lines_of(mail))[:6] == [
            "api_id:1234",
            "user:customer",
            f"password:{SECRET}",
            "to:447700900123",
            "text:line one",
            "text:line two",
        ]
        await goes_on(way, server)
        assert server.connections == 1


@pytest.mark.parametrize("moment", BEFORE)
@pytest.mark.parametrize(
    "trick", [HANG, CLOSE, b"2", b"no answer\r\n", TEN_MEGABYTES], ids=lambda words: words[:9]
)
async def test_where_nothing_was_written_nothing_was_sent(moment: str, trick: bytes) -> None:
    async with mailing(timeout_seconds=SOON) as (way, server):
        server.tricks = {moment: [trick, trick]}
        (answer,) = await way.submit(submission_of(), always)
        assert (answer.outcome, answer.is_temporary) == (Outcome.FAILED, True)
        assert answer.trouble is Trouble.UNREACHABLE
        assert server.begun == 0
        server.tricks = {}
        await goes_on(way, server)


@pytest.mark.parametrize(
    "trick",
    [HANG, CLOSE, b"25", b"250 que", b"no answer\r\n", b"354 more\r\n", TEN_MEGABYTES],
    ids=lambda words: words[:9],
)
async def test_a_mail_without_an_answer_is_unknown(trick: bytes) -> None:
    """RFC 1047."""
    async with mailing(timeout_seconds=SOON) as (way, server):
        server.tricks = {"dot": [trick]}
        (answer,) = await way.submit(submission_of(), always)
        assert (answer.outcome, answer.trouble) == (Outcome.UNKNOWN, Trouble.UNREACHABLE)
        assert len(server.mails) == 1
        await goes_on(way, server)


@pytest.mark.parametrize(
    ("moment", "words", "is_temporary", "code", "trouble"),
    [
        ("MAIL", b"451 later\r\n", True, "451", Trouble.NONE),
        ("MAIL", b"550 who\r\n", True, "550", Trouble.REFUSED),
        ("RCPT", b"450 greylisted\r\n", True, "450", Trouble.NONE),
        ("RCPT", b"550 no such mailbox\r\n", True, "550", Trouble.REFUSED),
        ("DATA", b"452 full\r\n", True, "452", Trouble.NONE),
        ("DATA", b"554 no\r\n", True, "554", Trouble.REFUSED),
        ("dot", b"451 later\r\n", True, "451", Trouble.NONE),
        ("dot", b"421 closing\r\n", True, "421", Trouble.NONE),
        ("dot", b"554-no\r\n554 thanks\r\n", False, "554", Trouble.NONE),
    ],
)
async def test_refusals(
    moment: str, words: bytes, is_temporary: bool, code: str, trouble: Trouble
) -> None:
    async with mailing() as (way, server):
        server.tricks = {moment: [words]}
        (answer,) = await way.submit(submission_of(), always)
        assert (answer.outcome, answer.is_temporary) == (Outcome.FAILED, is_temporary)
        assert (answer.code, answer.trouble) == (code, trouble)
        assert len(server.mails) == (moment == "dot")
        await goes_on(way, server)


async def test_without_a_permit_no_mail_is_written() -> None:
    async with mailing() as (way, server):
        with pytest.raises(PermitEnded):
            await way.submit(submission_of(), never)
        assert (server.begun, server.commands[-1]) == (0, "DATA")
        await goes_on(way, server)
        assert len(server.mails) == 1


async def test_the_permit_is_asked_when_the_server_waits_for_the_mail() -> None:
    asked = []
    async with mailing() as (way, server):
        await way.submit(submission_of(), lambda: not asked.append(list(server.commands)))
    assert asked == [["EHLO", "MAIL", "RCPT", "DATA"]]


@pytest.mark.parametrize("moment", ["MAIL", "RCPT", "DATA"])
async def test_a_kept_connection_that_has_ended_is_replaced(moment: str) -> None:
    async with mailing() as (way, server):
        await goes_on(way, server)
        server.tricks = {moment: [CLOSE]}
        await goes_on(way, server)
        assert (server.connections, len(server.mails)) == (2, 2)


async def test_an_old_connection_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp_way, "KEPT_SECONDS", 0.0)
    async with mailing() as (way, server):
        await goes_on(way, server)
        await goes_on(way, server)
        assert server.connections == 2


async def test_mails_go_side_by_side_up_to_the_window() -> None:
    async with mailing(window=3) as (way, server):
        found = await asyncio.gather(
            *(way.submit(submission_of(str(number)), always) for number in range(9))
        )
        assert {answer.outcome for (answer,) in found} == {Outcome.SUBMITTED}
        texts = [line for mail in server.mails for line in lines_of(mail) if "text" in line]
        assert sorted(texts) == [f"text:{number}" for number in range(9)]
        assert server.connections == 3


async def test_nobody_listens() -> None:
    async with mailing() as (way, server):
        await goes_on(way, server)
        port = way._api.port
    way = SmtpWay(smtp_api(port))
    (answer,) = await way.submit(submission_of(), always)
    assert (answer.outcome, answer.trouble) == (Outcome.FAILED, Trouble.UNREACHABLE)
    with pytest.raises(ProbeFailed):
        await way.probe()


@pytest.mark.parametrize(
    "ehlo", [PLAIN["EHLO"], b"250-mail.example.com\r\n250 STARTTLS\r\n"], ids=["lacks", "refuses"]
)
async def test_nothing_goes_without_starttls(ehlo: bytes) -> None:
    """The password does not go either: an attacker may hide STARTTLS (RFC 3207 6)."""
    async with mailing(tls="on") as (way, server):
        server.tricks = {"EHLO": [ehlo], "STAR": [b"454 not now\r\n"]}
        (answer,) = await way.submit(submission_of(), always)
        assert (answer.outcome, answer.trouble) == (Outcome.FAILED, Trouble.UNREACHABLE)
        assert not {"MAIL", "AUTH"} & set(server.commands)


async def test_a_refused_login_is_trouble_of_the_api() -> None:
    ehlo = b"250-mail.example.com\r\n250 AUTH PLAIN\r\n"
    async with mailing(login_user="me", login_password="relay-secret") as (way, server):  # noqa: S106
        server.tricks = {"EHLO": [ehlo], "AUTH": [b"535 no: relay-secret\r\n"]}
        (answer,) = await way.submit(submission_of(), always)
        assert (answer.outcome, answer.is_temporary) == (Outcome.FAILED, True)
        assert answer.trouble is Trouble.REFUSED
        assert "relay-secret" not in answer.words
        server.tricks = {"EHLO": [ehlo], "AUTH": [b"235 welcome\r\n"]}
        await goes_on(way, server)


async def test_a_probe_sends_nothing() -> None:
    async with mailing() as (way, server):
        words = await way.probe()
        assert "I am here" in words
        assert server.commands == ["EHLO", "NOOP", "QUIT"]
        server.tricks = {"NOOP": [b"421 " + SECRET.encode() + b"\r\n"]}
        with pytest.raises(ProbeFailed) as caught:
            await way.probe()
        assert SECRET not in str(caught.value)
        assert await way.ask_about("e3f19b7c5d0a4862b1c7f4093ad8625e") is None


async def test_what_cannot_go_is_refused_here() -> None:
    async with mailing() as (way, server):
        (answer,) = await way.submit(submission_of("x" * 600), always)
        assert (answer.outcome, answer.is_temporary) == (Outcome.FAILED, False)
        assert (answer.code, server.connections) == ("too-many-parts", 0)


async def test_nothing_of_the_message_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with mailing() as (way, server):
        server.tricks = {"dot": [b"554 no: a secret text to 447700900123\r\n", CLOSE]}
        (answer,) = await way.submit(submission_of("a secret text"), always)
        assert "447700900123" not in answer.words
        await way.submit(submission_of("a secret text"), always)
    assert "secret text" not in caplog.text
    assert "447700900123" not in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    "given",
    [
        {"mail_to": "nobody"},
        {"mail_from": "a@b\nBcc:c@d"},
        {"password": "a\nto:447700900124"},
        {"host": "smtp.example.com"},
    ],
)
def test_an_api_that_no_mail_can_reach(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must be|loopback") as caught:
        SmtpWay(smtp_api(25, **given))
    assert "447700900124" not in str(caught.value)
