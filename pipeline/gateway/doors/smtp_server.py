"""The SMTP API: a mail of lines, to whatever address."""

from __future__ import annotations

import asyncio
from email import message_from_bytes
from typing import TYPE_CHECKING, Final

from pipeline.gateway.doors.lines import sends_from
from pipeline.gateway.doors.operations import line_of, replies
from pipeline.gateway.refusal import Refusal
from pipeline.gateway.world import EventKind

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session

    from pipeline.gateway.ground import Ground

_NAME: Final = "stand-in.invalid"
#: Codes of a login: the desk never saw the message.
_NOT_LET_IN: Final = frozenset({"001", "003", "005", "108"})
_TAKEN: Final = "250 OK"


class SmtpServer:
    """Mails are taken on trust: what is wrong with a message shows on the page alone.

    A customer that wants it by mail says `reply:`; the stand-in sends no mail.
    """

    def __init__(self, gateway: Ground) -> None:
        self._gateway = gateway
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self) -> None:
        """Listen; `port` says where."""
        from aiosmtpd.smtp import SMTP

        loop, settings = asyncio.get_running_loop(), self._gateway.settings
        self._server = await loop.create_server(
            lambda: SMTP(self, hostname=_NAME, ident="stand-in", loop=loop),
            settings.host,
            settings.smtp_port,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        """A mail came whole; the answer to its dot."""
        octets = envelope.original_content or b""
        mail = message_from_bytes(octets)
        body = mail.get_payload(decode=True)
        content = body.decode("latin-1") if isinstance(body, bytes) else ""
        is_plain = not mail.is_multipart() and mail.get_content_type() == "text/plain"
        handset = _first_handset(content)
        met = self._gateway.all_faults.met
        fault = met(handset, "reset-before-read", "busy") if handset else ""
        if fault:
            self._gateway.world.happen(EventKind.FAULT, handset=handset, facts={"fault": fault})
            if fault == "busy":
                return "451 4.3.2 Try again later"
            _cut_off(server)
            return _TAKEN
        take_lines(self._gateway, "smtp", content if is_plain else "", octets)
        if handset and (fault := met(handset, "lose-answer", "cut-answer", "hang")):
            self._gateway.world.happen(EventKind.FAULT, handset=handset, facts={"fault": fault})
            if fault == "hang":
                await asyncio.sleep(self._gateway.settings.hang_seconds)
            _cut_off(server)
        return _TAKEN


def take_lines(gateway: Ground, way: str, content: str, octets: bytes) -> list[str]:
    """Take the messages of lines; a line of text for each, as HTTP has it."""
    try:
        if not content.strip():
            raise Refusal("110")
        sends = sends_from(content)
    except Refusal as refusal:
        gateway.world.happen(
            EventKind.REFUSED,
            way=way,
            facts={"code": refusal.code, "words": refusal.words},
            received=octets,
        )
        return [f"ERR: {refusal.line}"]
    lines = []
    for given in sends:
        for reply in replies(gateway, "sendmsg", way, given, octets):
            if reply.refusal and not reply.to and reply.refusal.code in _NOT_LET_IN:
                gateway.world.happen(
                    EventKind.REFUSED,
                    way=way,
                    handset=given.get("to", ""),
                    facts={"code": reply.refusal.code, "words": reply.refusal.words},
                    received=octets,
                )
            lines.append(line_of("sendmsg", reply))
    return lines


def _first_handset(content: str) -> str:
    try:
        return sends_from(content)[0].get("to", "").partition(",")[0]
    except Refusal:
        return ""


def _cut_off(server: SMTP) -> None:
    if server.transport is not None:
        server.transport.close()
