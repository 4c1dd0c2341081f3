"""The gateway's mail server and its FTP server; both take lines `name:value`."""

from __future__ import annotations

import asyncio
import re
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

from pipeline.sender.apis.api import WayName
from tests.chaos.sending.gateway.web import message_from_values
from tests.chaos.sending.places import TIMEOUT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.chaos.sending.gateway.till import Till

PLAIN = {
    "EHLO": b"250-mail.example.com\r\n250 8BITMIME\r\n",
    "NOOP": b"250 ok\r\n",
    "MAIL": b"250 ok\r\n",
    "RCPT": b"250 ok\r\n",
    "DATA": b"354 go on\r\n",
    "QUIT": b"221 bye\r\n",
}
DOT = {"taken": b"250 queued\r\n", "throttled": b"452 later\r\n", "refused": b"554 no\r\n"}
LATER = "452 Not now."


def values_from_lines(lines: Iterable[str]) -> dict[str, str]:
    """Values by name; several `text` are lines of one text, several `data` are pieces of one."""
    found: dict[str, list[str]] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            found.setdefault(name, []).append(value)
    values = {name: each[0] for name, each in found.items()}
    values["text"] = "".join(found.get("data", ())) or "\n".join(found.get("text", ()))
    return values


class Mail:
    """The mail server; it decides at the final dot."""

    def __init__(self, till: Till) -> None:
        self._till = till

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"220 mail.example.com ESMTP\r\n")
            while line := await reader.readline():
                command = line[:4].strip().upper().decode("ascii", "replace")
                writer.write(PLAIN.get(command, b"502 not known\r\n"))
                if command == "DATA" and not await self._mail(reader, writer):
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    async def _mail(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        octets = await reader.readuntil(b"\r\n.\r\n")
        body = octets.partition(b"\r\n\r\n")[2].decode("ascii").replace("\r\n..", "\r\n.")
        values = values_from_lines(body.split("\r\n"))
        fate = self._till.receive(message_from_values(WayName.SMTP, values))
        await asyncio.sleep(fate.seconds)
        if fate.name == "lost":
            if fate.is_silent:
                await asyncio.sleep(TIMEOUT_SECONDS + 1)
            writer.transport.abort()
            return False
        writer.write(DOT[fate.name])
        return True


class Files:
    """The FTP server, in a thread; it takes and keeps a file when the file has its final name.

    No answer of FTP refuses a single message, so no message is refused for good here.
    """

    def __init__(self, till: Till, folder: Path, *, user: str, password: str) -> None:
        folder.mkdir(parents=True)
        authorizer = DummyAuthorizer()
        authorizer.add_user(user, password, str(folder), perm="elradfmwMT")
        attributes: dict[str, Any] = {"authorizer": authorizer, "till": till}
        handler = type("Handler", (_Handler,), attributes)
        self._loop = IOLoop()
        self._server = FTPServer(("127.0.0.1", 0), handler, ioloop=self._loop)
        self.port = self._server.address[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        self._server.serve_forever(timeout=0.1, handle_exit=False)

    def close(self) -> None:
        self._server.close_all()


class _Handler(FTPHandler):  # type: ignore[misc]
    use_sendfile = False
    permit_foreign_addresses = True
    till: Till

    def ftp_RNTO(self, path: str) -> Any:  # noqa: N802
        """Take the file: with its final name the gateway sees it."""
        source = self._rnfr
        values = values_from_lines(Path(source).read_bytes().decode("ascii").split("\r\n"))
        message = message_from_values(WayName.FTP, values)
        assert re.search(rf"/{message.command_id}\.txt$", path), path
        fate = self.till.receive(message, never="refused")
        self._rnfr = None
        if fate.name == "throttled":
            self.respond(LATER)
            return None
        shutil.move(source, path)
        if fate.name == "lost":
            self.close()
            return None
        self.respond("250 Renaming ok.")
        return path
