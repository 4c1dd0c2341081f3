"""The way by SMTP: one mail a command, with HTTP's parameters as lines (deploy/decisions/0114)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pipeline.process.client_tls import tls_for
from pipeline.process.peer_words import keep_secret, peer_words
from pipeline.records import Outcome
from pipeline.sender.apis.api import WINDOWS, WayName
from pipeline.sender.way import Answer, Found, ProbeFailed, Trouble
from pipeline.sender.ways.lines import lines_or_refusal
from pipeline.sender.ways.smtp.connection import Lost, MailConnection, MailRefused, MailUnanswered
from pipeline.wire.clickatell.lines import Login
from pipeline.wire.clickatell.mail import LONGEST_MAIL_LINE, is_address, mail_from_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.sender.apis.api import Api
    from pipeline.sender.way import Submission

#: How long an unused connection may be used again: servers end idle ones, and report it late.
KEPT_SECONDS: Final = 30.0
HANDED_OVER: Final = "handed over by mail"


class SmtpWay:
    """Keeps connections for a while. Raises `ValueError` for an API that no mail can reach."""

    def __init__(self, api: Api) -> None:
        self._api = api
        for name, address in (("mail_to", api.mail_to), ("mail_from", api.mail_from)):
            if not is_address(address):
                raise ValueError(f"{name} must be the address of a mailbox (RFC 5322 3.4.1)")
        self._login = Login(api.api_id, api.user, api.password)
        self._tls = tls_for("smtp", mode=api.tls, host=api.host, ca=api.ca)
        self._idle: list[MailConnection] = []
        self._window = asyncio.Semaphore(api.window or WINDOWS[WayName.SMTP])
        keep_secret([api.password, api.login_password])

    async def submit(self, submission: Submission, may_go: Callable[[], bool]) -> Sequence[Answer]:
        """One answer for the whole message: a mail does not say which part is which."""
        command = submission.command
        lines = lines_or_refusal(command, self._api, self._login, longest=LONGEST_MAIL_LINE)
        if isinstance(lines, Answer):
            return [lines]
        octets = mail_from_lines(
            lines,
            sender=self._api.mail_from,
            recipient=self._api.mail_to,
            name=command.command_id,
            at=datetime.now(UTC),
        )
        return [await self._hand_over(octets, may_go)]

    async def probe(self) -> str:
        """EHLO, TLS, the login and NOOP, on a separate connection."""
        connection = MailConnection(self._api, tls=self._tls)
        try:
            async with asyncio.timeout(self._api.timeout_seconds):
                await connection.connect()
                words = await connection.noop()
        except (Lost, MailRefused, TimeoutError) as error:
            raise ProbeFailed(f"{self._where}: {error or 'no answer in time'}") from error
        else:
            await connection.quit()
        finally:
            connection.close()
        return f"{self._where} takes mails: {words}"

    async def ask_about(self, command_id: str) -> Found | None:
        """None: the gateway answers no queries by mail."""
        return None

    async def close(self) -> None:
        """End the connections."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*(connection.quit() for connection in idle))

    @property
    def _where(self) -> str:
        return f"{self._api.host}:{self._api.port}"

    async def _hand_over(self, octets: bytes, may_go: Callable[[], bool]) -> Answer:
        """The outcome; everything, with the answer to the final dot, is within the API's time."""
        written = False

        def may_write() -> bool:
            nonlocal written
            written = may_go()
            return written

        try:
            async with asyncio.timeout(self._api.timeout_seconds), self._window:
                return await self._send(octets, may_write)
        except TimeoutError:
            words = "the server did not answer in time"
            return _unknown(words) if written else _not_sent(words, Trouble.UNREACHABLE)
        except MailUnanswered as error:
            return _unknown(str(error))
        except MailRefused as error:
            return _not_sent(str(error), error.trouble, code=str(error.code))
        except Lost as error:
            return _not_sent(str(error), Trouble.UNREACHABLE)

    async def _send(self, octets: bytes, may_go: Callable[[], bool]) -> Answer:
        """Send by a kept connection, or by another one if that has ended."""
        kept = self._kept()
        if kept is not None:
            try:
                return await self._send_by(kept, octets, may_go)
            except Lost:
                pass  # the server ended it meanwhile, and nothing was written
        fresh = MailConnection(self._api, tls=self._tls)
        try:
            await fresh.connect()
        except BaseException:
            fresh.close()
            raise
        return await self._send_by(fresh, octets, may_go)

    def _kept(self) -> MailConnection | None:
        now = asyncio.get_running_loop().time()
        while self._idle:
            connection = self._idle.pop()
            if now - connection.used_at < KEPT_SECONDS:
                return connection
            connection.close()
        return None

    async def _send_by(
        self, connection: MailConnection, octets: bytes, may_go: Callable[[], bool]
    ) -> Answer:
        try:
            code, words = await connection.send(
                octets, sender=self._api.mail_from, recipient=self._api.mail_to, may_go=may_go
            )
        except BaseException:
            connection.close()
            raise
        if 200 <= code < 300:
            self._idle.append(connection)
            return Answer(outcome=Outcome.SUBMITTED, words=HANDED_OVER)
        connection.close()
        if not 400 <= code < 600:  # RFC 5321 4.2.1: no answer to a final dot
            return _unknown(f"the server answered {code}")
        return Answer(
            outcome=Outcome.FAILED, is_temporary=code < 500, code=str(code), words=peer_words(words)
        )


def _unknown(words: str) -> Answer:
    return Answer(outcome=Outcome.UNKNOWN, words=words, trouble=Trouble.UNREACHABLE)


def _not_sent(words: str, trouble: Trouble, *, code: str = "") -> Answer:
    return Answer(
        outcome=Outcome.FAILED,
        is_temporary=True,
        code=code,
        words=f"not sent: {words}",
        trouble=trouble,
    )
