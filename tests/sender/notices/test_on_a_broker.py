"""Notices on a real broker: each is mailed though the reader dies, and none goes on and on."""

from __future__ import annotations

import asyncio
import email
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pipeline.cli.ask.broker import Outgoing, publish
from pipeline.kafka import topics
from pipeline.sender.notices import post, reader
from tests.sender.notices.test_notices import mailing, notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.records import AccountNotice
    from pipeline.sender.notices.mail import MailRoute
    from tests.sender.ways.mail_server import MailServer

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post, "BACKOFF_SECONDS", (0.05, 0.1))
    monkeypatch.setattr(reader, "POLL_MS", 100)


def crossed(account: str, id: str) -> AccountNotice:
    return notice(account=account, notice_id=id * 32, at=datetime.now(UTC))


async def told(kafka: str, notices: list[AccountNotice]) -> None:
    outgoing = [
        Outgoing(topic=topics.ACCOUNT_NOTICE, record=each, key=each.account.encode())
        for each in notices
    ]
    await asyncio.to_thread(publish, kafka, outgoing)


async def read_until(kafka: str, route: MailRoute, holds: Callable[[], bool]) -> None:
    """Read until it holds, and then die without a word."""
    reading = asyncio.create_task(reader.read_notices(kafka, route))
    try:
        async with asyncio.timeout(90):
            while not holds():  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(0.05)
    finally:
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading


def ids_in(server: MailServer) -> list[str]:
    found = [email.message_from_bytes(mail)["Message-ID"] for mail in server.mails]
    return [str(id)[1] for id in found]


async def test_each_notice_is_mailed_though_the_reader_dies(kafka: str) -> None:
    await told(kafka, [crossed("main", "a"), crossed("other", "b")])
    async with mailing(RCPT=[b"450 later\r\n"] * 10_000) as (route, server):
        await read_until(kafka, route, lambda: server.commands.count("RCPT") > 4)
        assert server.mails == []  # it died while it tried
    async with mailing() as (route, server):
        await read_until(kafka, route, lambda: len(server.mails) >= 4)
        assert sorted(set(ids_in(server))) == ["a", "b"]
        await read_until(kafka, route, lambda: True)
    await told(kafka, [crossed("main", "c")])
    async with mailing() as (route, server):
        await read_until(kafka, route, lambda: "c" in ids_in(server)[1:])
        # The last one may not have been committed when the reader died: then it goes again.
        assert set(ids_in(server)) <= {"a", "b", "c"}
        assert len(ids_in(server)) <= 2 + 2
