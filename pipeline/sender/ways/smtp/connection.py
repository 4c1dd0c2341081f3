"""One connection to a mail server, which sends mails in sequence (RFC 5321)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final, cast

import aiosmtplib

from pipeline.process.peer_words import peer_words, words_of_error
from pipeline.sender.way import PermitEnded, Trouble

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from pipeline.sender.apis.api import Api

START_INPUT: Final = 354
QUIT_SECONDS: Final = 2.0
#: What aiosmtplib raises where the connection fails: its own errors, and those of the system.
MAIL_FAILURES: Final = (aiosmtplib.SMTPException, OSError, RuntimeError, ValueError)
_OURS: Final = "two-way"  # of EHLO: the name of this host says nothing to the gateway


class MailRefused(Exception):
    """The server refuses; the words are the server's. Nothing of the message was written."""

    def __init__(self, code: int, words: str, trouble: Trouble) -> None:
        super().__init__(words)
        self.code = code
        self.trouble = trouble


class Lost(Exception):
    """The connection failed before any octet of the message was written."""


class MailUnanswered(Exception):
    """The whole message was written; it is not known whether it was taken (RFC 1047)."""


class MailConnection:
    """One SMTP connection: EHLO, TLS, login, then mails."""

    def __init__(self, api: Api, *, tls: ssl.SSLContext | None) -> None:
        self._api = api
        self._tls = tls
        self._smtp = aiosmtplib.SMTP(
            hostname=api.host,
            port=api.port,
            local_hostname=_OURS,
            start_tls=False,
            tls_context=tls,
            timeout=api.timeout_seconds,
        )
        self.used_at = asyncio.get_running_loop().time()

    async def connect(self) -> None:
        """Connect, start TLS unless it is turned off, log in; raises `Lost` or `MailRefused`."""
        try:
            await self._smtp.connect()
            await self._smtp.ehlo()
            if self._tls is not None:
                await self._smtp.starttls(server_hostname=self._api.host)
                await self._smtp.ehlo()
        except MAIL_FAILURES as error:
            raise Lost(_words_of(error)) from error
        if self._api.login_user:
            try:
                await self._smtp.login(self._api.login_user, self._api.login_password)
            except aiosmtplib.SMTPAuthenticationError as error:
                words = f"the server refuses the login: {peer_words(error.message)}"
                raise MailRefused(error.code, words, Trouble.REFUSED) from error
            except MAIL_FAILURES as error:
                raise Lost(_words_of(error)) from error

    async def send(
        self, octets: bytes, *, sender: str, recipient: str, may_go: Callable[[], bool]
    ) -> aiosmtplib.SMTPResponse:
        """Send a mail, and return the answer to the final dot.

        Raises `MailRefused`, `Lost`, `MailUnanswered` or `PermitEnded`. After `PermitEnded` the
        connection cannot be used: it is in the middle of a mail. The server drops that mail when
        the connection ends before the final dot (RFC 5321 4.1.1.4).
        """
        try:
            await self._smtp.mail(sender)
            await self._smtp.rcpt(recipient)
        except aiosmtplib.SMTPResponseException as error:
            raise _refused(error.code, error.message) from error
        except MAIL_FAILURES as error:
            raise Lost(_words_of(error)) from error
        protocol = self._smtp.protocol
        if protocol is None:
            raise Lost("the server ended the connection")
        try:
            answer = await protocol.execute_command(b"DATA", timeout=self._api.timeout_seconds)
        except MAIL_FAILURES as error:
            raise Lost(_words_of(error)) from error
        if answer.code != START_INPUT:
            raise _refused(answer.code, answer.message)
        if not may_go():
            raise PermitEnded
        try:
            protocol.write(octets.replace(b"\r\n.", b"\r\n..") + b".\r\n")  # RFC 5321 4.5.2
        except MAIL_FAILURES as error:
            raise Lost(_words_of(error)) from error
        try:
            answer = await protocol.read_response(timeout=self._api.timeout_seconds)
        except MAIL_FAILURES as error:
            raise MailUnanswered(_words_of(error)) from error
        self.used_at = asyncio.get_running_loop().time()
        return answer

    async def noop(self) -> str:
        """The server's answer to NOOP; raises `Lost`."""
        try:
            return peer_words((await self._smtp.noop()).message)
        except MAIL_FAILURES as error:
            raise Lost(_words_of(error)) from error

    async def quit(self) -> None:
        """End the connection by QUIT, or at once if the server does not answer."""
        with suppress(*MAIL_FAILURES):
            await self._smtp.quit(timeout=QUIT_SECONDS)
        self.close()

    def close(self) -> None:
        """End the connection at once."""
        transport = cast("asyncio.WriteTransport | None", self._smtp.transport)
        self._smtp.close()
        if transport is not None:
            transport.abort()


def _words_of(error: Exception) -> str:
    """The words of an error; aiosmtplib gives a malformed answer as a pair of code and words."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return peer_words(error.message)
    return words_of_error(error)


def _refused(code: int, words: str) -> MailRefused | Lost:
    """The error for a refusal: never final, as sender and recipient are the same for the API."""
    if not 400 <= code < 600:  # RFC 5321 4.2.1: no answer to what was asked
        return Lost(f"the server answered {peer_words(words)}")
    return MailRefused(code, peer_words(words), Trouble.REFUSED if code >= 500 else Trouble.NONE)
