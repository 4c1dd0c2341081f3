"""A mail server for tests, which plays a trick at one moment of the dialogue."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.sender.apis.api import WayName
from pipeline.sender.ways.smtp.way import SmtpWay
from tests.sender.ways.apis import api_of

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Iterator

HANG, CLOSE = b"hang", b"close"
#: What is said at each moment; `dot` is the end of a mail.
PLAIN = {
    "greeting": b"220 mail.example.com ESMTP\r\n",
    "EHLO": b"250-mail.example.com\r\n250 8BITMIME\r\n",
    "NOOP": b"250 I am here\r\n",
    "MAIL": b"250 ok\r\n",
    "RCPT": b"250 ok\r\n",
    "DATA": b"354 go on\r\n",
    "dot": b"250 queued\r\n",
    "QUIT": b"221 bye\r\n",
}


@dataclass
class MailServer:
    """Gives each of `tricks` once as an answer; `mails` are the mails whose end arrived."""

    tricks: dict[str, list[bytes]] = field(default_factory=dict)
    mails: list[bytes] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    connections: int = 0
    begun: int = 0  # mails of which a first line was seen
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        try:
            await self._say(writer, "greeting")
            async for command in self._commands(reader):
                self.commands.append(command)
                await self._say(writer, command)
                if command == "DATA":
                    await self._mail(reader)
                    await self._say(writer, "dot")
        except (ConnectionError, EOFError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _commands(self, reader: asyncio.StreamReader) -> AsyncIterator[str]:
        while line := await reader.readline():
            yield line[:4].strip().upper().decode()

    async def _mail(self, reader: asyncio.StreamReader) -> None:
        lines = [await reader.readline()]
        if not lines[0]:
            raise EOFError
        self.begun += 1
        while lines[-1] != b".\r\n":
            lines.append(await reader.readline())
            if not lines[-1]:
                raise EOFError
        self.mails.append(b"".join(lines[:-1]))

    async def _say(self, writer: asyncio.StreamWriter, moment: str) -> None:
        tricks = self.tricks.get(moment)
        words = tricks.pop(0) if tricks else PLAIN.get(moment, b"502 not known\r\n")
        if words == HANG:
            await asyncio.Event().wait()
        if words == CLOSE:
            raise ConnectionError
        writer.write(words)
        await writer.drain()
        if not words.endswith(b"\n"):  # cut
            raise ConnectionError


@asynccontextmanager
async def mailing(
    *, guard: ssl.SSLContext | None = None, **given: Any
) -> AsyncIterator[tuple[SmtpWay, MailServer]]:
    """A server, and a way to it."""
    server = MailServer()
    listening = await asyncio.start_server(server.connected, "127.0.0.1", 0, ssl=guard)
    way = SmtpWay(smtp_api(listening.sockets[0].getsockname()[1], **given))
    try:
        yield way, server
    finally:
        await way.close()
        for writer in server.writers:
            writer.transport.abort()
        listening.close()


def smtp_api(port: int, **given: Any) -> Any:
    fields = {"mail_to": "sms@messaging.clickatell.com", "mail_from": "two@example.com"}
    return api_of(WayName.SMTP, port, **fields | given)


def lines_of(mail: bytes) -> Iterator[str]:
    """The lines of a mail's body."""
    yield from mail.partition(b"\r\n\r\n")[2].decode("ascii").splitlines()
