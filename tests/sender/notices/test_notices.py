"""Notices of a low balance: the mail, how often it goes, and what stands in nobody's way."""

from __future__ import annotations

import asyncio
import email
import email.policy
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka.structs import ConsumerRecord

from pipeline.avro import single_object
from pipeline.records import AccountNotice, Record
from pipeline.sender.metrics import NOTICE_FAILURES, NOTICE_MAILS
from pipeline.sender.notices import post, reader
from pipeline.sender.notices.mail import NoticeSettingsError, mail_of_notice, mail_route
from pipeline.sender.notices.reader import OLDEST, take
from pipeline.settings import Settings
from tests.sender.ways.mail_server import CLOSE, HANG, MailServer
from tests.support.account_records import CREDIT, THIRD

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from pipeline.sender.notices.mail import MailRoute


def notice(**fields: Any) -> AccountNotice:
    given: dict[str, Any] = {
        "notice_id": "0" * 32,
        "account": "main",
        "balance": 99 * CREDIT + 2 * THIRD,
        "notify_below": 100 * CREDIT,
        "sequence": 7,
        "at": datetime.now(UTC) - timedelta(minutes=1),
    }
    return AccountNotice(**given | fields)


def kafka_record(value: Record | bytes) -> ConsumerRecord:
    octets = value if isinstance(value, bytes) else single_object.encode(value)
    return ConsumerRecord("account-notice", 0, 0, 0, 0, b"main", octets, 0, 0, 0, ())


def settings_of(port: int, **given: Any) -> Settings:
    fields = {
        "notify_to": "ops@example.com, boss@example.com",
        "notify_from": "two-way@example.com",
        "notify_smtp_host": "127.0.0.1",
        "notify_smtp_port": port,
        "notify_smtp_tls": "off",
    }
    return Settings(**fields | given)


@asynccontextmanager
async def mailing(**tricks: list[bytes]) -> AsyncIterator[tuple[MailRoute, MailServer]]:
    """A mail server that plays tricks, and the route to it."""
    server = MailServer(tricks=tricks)
    listening = await asyncio.start_server(server.connected, "127.0.0.1", 0)
    route = mail_route(settings_of(listening.sockets[0].getsockname()[1]))
    assert route is not None
    try:
        yield route, server
    finally:
        for writer in server.writers:
            writer.transport.abort()
        listening.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post, "BACKOFF_SECONDS", (0.01, 0.02))
    monkeypatch.setattr(post, "MAIL_SECONDS", 0.5)


def counted(mail: str) -> float:
    return float(NOTICE_MAILS.labels(mail)._value.get())


def test_the_mail_says_what_happened_and_has_the_notices_id() -> None:
    route = mail_route(settings_of(25))
    assert route is not None
    given = notice(at=datetime(2026, 3, 1, 9, 0, tzinfo=UTC))
    mail = email.message_from_bytes(mail_of_notice(given, route), policy=email.policy.default)
    assert mail["Message-ID"] == f"<{'0' * 32}@example.com>"
    assert mail["From"] == "two-way@example.com"
    assert mail["To"] == "ops@example.com, boss@example.com"
    assert mail["Subject"] == "Two-way: the balance of main is below 100 credits"
    assert mail["Auto-Submitted"] == "auto-generated"
    body = mail.get_content()
    assert "has 99 2/3 credits" in body
    assert "2026-03-01 09:00:00 UTC" in body
    assert mail_of_notice(given, route) == mail_of_notice(given, route)  # in every attempt


@pytest.mark.parametrize(
    "account", ["main\r\nBcc: all@example.com", "x" * 500, "münchen", "a\0b", "\u202egnp"]
)
def test_a_name_cannot_end_a_header(account: str) -> None:
    route = mail_route(settings_of(25))
    assert route is not None
    octets = mail_of_notice(notice(account=account, notice_id=account), route)
    mail = email.message_from_bytes(octets, policy=email.policy.default)
    assert mail["Bcc"] is None
    assert set(mail.keys()) == {
        "From", "To", "Date", "Message-ID", "Subject", "Auto-Submitted", "Content-Type",
        "Content-Transfer-Encoding", "MIME-Version",
    }  # fmt: skip
    assert all(len(line) <= 998 for line in octets.split(b"\r\n"))  # RFC 5322 2.1.1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"notify_to": "ops"}, "notify_to must be the address of a mailbox"),
        ({"notify_to": "a@b\r\nX: y"}, "notify_to must be the address"),
        ({"notify_to": ",".join(f"a{n}@b.com" for n in range(21))}, "more than 20 mailboxes"),
        ({"notify_from": ""}, "notify_from must be the address"),
        ({"notify_smtp_host": ""}, "notify_smtp_host is no name"),
        ({"notify_smtp_port": 0}, "notify_smtp_port must be 1 to 65535"),
        ({"notify_smtp_host": "mail.example.com"}, "notify_smtp_tls = off works only to loopback"),
        ({"notify_smtp_tls": "perhaps"}, "notify_smtp_tls must be one of"),
        ({"notify_smtp_password_file": "/none"}, "notify_smtp_password_file cannot be read"),
    ],
)
def test_settings_that_reach_nobody_are_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(NoticeSettingsError, match=words):
        mail_route(settings_of(25, **given))


def test_without_a_mailbox_nothing_is_mailed() -> None:
    assert mail_route(Settings()) is None


def test_the_password_is_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("hush hush\n")
    route = mail_route(settings_of(25, notify_smtp_password_file=str(file), notify_smtp_user="u"))
    assert route is not None
    assert (route.server.login_user, route.server.login_password) == ("u", "hush hush")


async def test_each_mailbox_gets_it_once() -> None:
    async with mailing() as (route, server):
        before = counted("mailed")
        await take(kafka_record(notice()), route)
        assert len(server.mails) == 2
        assert server.mails[0] == server.mails[1]
        assert counted("mailed") == before + 1


@pytest.mark.parametrize(
    "tricks",
    [
        {"greeting": [CLOSE, CLOSE]},
        {"greeting": [b"554 go away\r\n"]},
        {"EHLO": [b"421 not now\r\n"]},
        {"MAIL": [b"550 not from you\r\n"]},
        {"RCPT": [b"450 greylisted\r\n", b"450 greylisted\r\n"]},
        {"DATA": [b"451 later\r\n"]},
        {"dot": [b"452 full\r\n"]},
        {"dot": [CLOSE]},
        {"dot": [HANG]},
        {"greeting": [b"\xff" * 2_000 + b"\r\n"]},
    ],
    ids=lambda tricks: " ".join(tricks),
)
async def test_what_fails_is_tried_again_until_each_mailbox_has_it(
    tricks: dict[str, list[bytes]],
) -> None:
    async with mailing(**tricks) as (route, server):
        failures = NOTICE_FAILURES._value.get()
        async with asyncio.timeout(20):
            await take(kafka_record(notice()), route)
        assert len(server.mails) >= 2  # twice, where an answer was lost
        assert NOTICE_FAILURES._value.get() > failures
        ids = {email.message_from_bytes(mail)["Message-ID"] for mail in server.mails}
        assert ids == {f"<{'0' * 32}@example.com>"}


async def test_a_mailbox_that_is_refused_for_good_does_not_hold_up_the_other() -> None:
    async with mailing(RCPT=[b"550 no such mailbox\r\n"]) as (route, server):
        async with asyncio.timeout(20):
            await take(kafka_record(notice()), route)
        assert len(server.mails) == 2


async def test_a_notice_is_given_up_when_it_says_nothing_of_today() -> None:
    async with mailing(MAIL=[b"550 no\r\n"] * 1_000) as (route, server):
        before = counted("given-up")
        almost = datetime.now(UTC) - OLDEST + timedelta(seconds=0.3)
        async with asyncio.timeout(20):
            await take(kafka_record(notice(at=almost)), route)
        assert server.mails == []
        assert counted("given-up") == before + 1


@pytest.mark.parametrize("has_route", [True, False])
async def test_an_old_notice_and_one_that_nobody_wants_are_not_mailed(has_route: bool) -> None:
    async with mailing() as (route, server):
        before = counted("not-mailed")
        at = datetime.now(UTC) - (OLDEST * 2 if has_route else timedelta())
        await take(kafka_record(notice(at=at)), route if has_route else None)
        assert server.commands == []
        assert counted("not-mailed") == before + 1


@pytest.mark.parametrize("octets", [b"", b"\xff" * 40, b"\xc3\x01"])
async def test_what_is_no_notice_stops_nothing(octets: bytes) -> None:
    async with mailing() as (route, server):
        await take(kafka_record(octets), route)
        assert server.commands == []


async def test_a_defect_is_said_and_the_next_notice_is_taken(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> bytes:
        raise KeyError("a defect")

    async with mailing() as (route, server):
        with monkeypatch.context() as broken_once:
            broken_once.setattr("pipeline.sender.notices.reader.mail_of_notice", broken)
            await take(kafka_record(notice()), route)
        assert "a notice met a defect: KeyError" in caplog.text
        await take(kafka_record(notice()), route)
        assert len(server.mails) == 2


async def test_what_fails_or_is_cancelled_is_begun_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []
    third = asyncio.Event()

    async def read_once(*_: object, **__: object) -> None:
        begun.append(1)
        if len(begun) == 1:
            raise asyncio.CancelledError
        if len(begun) == 2:
            raise ValueError("a broker's nonsense")
        third.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(reader, "_read_once", read_once)
    monkeypatch.setattr(reader, "BACKOFF_SECONDS", (0.01, 0.02))
    reading = asyncio.create_task(reader.read_notices("127.0.0.1:1", None))
    async with asyncio.timeout(20):
        await third.wait()
    reading.cancel()
    await asyncio.wait([reading])
    assert reading.cancelled()
