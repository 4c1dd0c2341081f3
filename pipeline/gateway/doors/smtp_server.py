"""The SMTP API: takes mails of lines `name:value`, to any address."""

from __future__ import annotations

import asyncio
from email import message_from_bytes
from typing import TYPE_CHECKING, Any, Final

from pipeline.gateway.doors.line_messages import first_handset, reply_to, take_lines
from pipeline.gateway.doors.lying import CUT, HUGE, NOT_TAKEN, SLOW_SECONDS
from pipeline.gateway.doors.reply_mails import ReplyMails
from pipeline.gateway.faults.kinds import Group
from pipeline.gateway.masking import masked_mail

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session

    from pipeline.gateway.faults.rules import Rule
    from pipeline.gateway.ground import Ground

NAME: Final = "stand-in.invalid"
_TAKEN: Final = "250 OK"
_BUSY: Final = "451 4.3.2 Try again later"
_ENDED: Final = ""  # the server sends no answer
#: A browser that a web page sends here begins with one of these; its next lines would be commands.
_HTTP: Final = ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")


class SmtpServer:
    """An SMTP server that answers 250 to every mail.

    A refusal of a message shows on the page, and in the mail that `reply:` asks for.
    """

    def __init__(self, gateway: Ground) -> None:
        self._gateway = gateway
        self._replies = ReplyMails(gateway.settings.home, gateway.clock.now)
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self) -> None:
        """Listen on `port`, with STARTTLS; raises `OSError` if the port is in use."""
        loop, settings = asyncio.get_running_loop(), self._gateway.settings
        kind = _connection_class()
        secret = self._gateway.certificates.context(
            lambda: self._gateway.meets_wrong_certificate("smtp")
        )
        self._server = await loop.create_server(
            lambda: kind(self, hostname=NAME, ident="stand-in", loop=loop, tls_context=secret),
            settings.host,
            settings.smtp_port,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        """Take the messages of a mail; return the answer to the end of the data."""
        octets = envelope.original_content or b""
        shown = masked_mail(octets)
        content = _content_of(octets)
        handset = first_handset(content)
        rule = self._gateway.meet(Group.ANSWER, "smtp", handset) if handset else None
        if rule is not None and rule.name == "busy":
            self._gateway.world.answer(shown, f"{_BUSY}\r\n".encode())
            return _BUSY
        if rule is not None and rule.name in NOT_TAKEN:
            return _cut_off(server)
        lines = take_lines(self._gateway, "smtp", content, shown)
        answer = f"{_TAKEN}\r\n".encode()
        addresses = reply_to(content)
        if addresses:
            answer += b"\r\n" + self._replies.write(addresses, lines)
        if rule is None:
            self._gateway.world.answer(shown, answer)
            return _TAKEN
        return await self._lie(server, rule)

    async def _lie(self, server: SMTP, rule: Rule) -> str:
        """Send the answer as the fault changes it, or return it for aiosmtpd to send."""
        octets = f"{_TAKEN}\r\n".encode()
        match rule.name:
            case "hang":
                settings = self._gateway.settings
                pause = settings.hang_seconds if rule.seconds is None else rule.seconds
                await asyncio.sleep(pause)
            case "cut-answer":
                _say(server, octets[: CUT if rule.octets is None else rule.octets])
                if server.transport is not None:
                    server.transport.close()
                return _ENDED
            case "huge":
                return f"250 {'x' * (HUGE if rule.octets is None else rule.octets)}"
            case "slow":
                for octet in octets:
                    await asyncio.sleep(SLOW_SECONDS if rule.seconds is None else rule.seconds)
                    _say(server, bytes((octet,)))
                return _ENDED
        return _cut_off(server)


def _connection_class() -> Any:
    from aiosmtpd.smtp import SMTP

    class Connection(SMTP):
        """aiosmtpd's connection; sends no empty answer, and ends at a method of HTTP."""

        async def push(self, status: Any) -> None:
            if status != _ENDED:
                await super().push(status)

        async def end_at_http(self, arg: str | None) -> None:
            await self.push("421 This is not a web server")
            _cut_off(self)

    for name in _HTTP:
        setattr(Connection, f"smtp_{name}", Connection.end_at_http)
    return Connection


def _content_of(octets: bytes) -> str:
    """The body of a mail of plain text; empty for any other mail."""
    mail = message_from_bytes(octets)
    if mail.is_multipart() or mail.get_content_type() != "text/plain":
        return ""
    body = mail.get_payload(decode=True)
    return body.decode("latin-1") if isinstance(body, bytes) else ""


def _say(server: SMTP, octets: bytes) -> None:
    if server.transport is not None and not server.transport.is_closing():
        server.transport.write(octets)  # type: ignore[attr-defined]


def _cut_off(server: SMTP) -> str:
    if server.transport is not None:
        server.transport.abort()  # type: ignore[attr-defined]
    return _ENDED
