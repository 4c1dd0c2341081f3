"""A gateway in a separate process that takes 50 ms for every answer and logs every message.

    python -m tests.bench.sender.counterpart WAY LOG [SECONDS]

Prints its port in one line. LOG gets one line for each message: the time of its first octet, in
seconds since 1970, and the command's id, if the way sends it.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import uvloop

from pipeline.sender.apis.api import WayName
from pipeline.wire.smpp import pdu as smpp_pdu
from pipeline.wire.smpp.pdu import Command, Framer, Status
from tests.bench.sender.dialogues import serve_ftp, serve_smtp
from tests.sender.ways.counterpart import MESSAGE_ID, SESSION, line_as, operation_of, response

if TYPE_CHECKING:
    from collections.abc import Callable

ANSWER_SECONDS: Final = 0.05
WRITE_SECONDS: Final = 0.1
_COMMAND_ID: Final = re.compile(rb"(?is)climsgid.{0,60}?([0-9a-f]{32})")
_LENGTH: Final = re.compile(rb"(?i)content-length: (\d+)")


class Log:
    """Writes the lines at intervals, so that it takes little of the measured machine."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a")

    def note(self, at: float, command_id: str) -> None:
        """Log a message that came."""
        self._file.write(f"{at:.6f} {command_id}\n")

    async def run(self) -> None:
        """Flush the lines until cancelled."""
        while True:
            await asyncio.sleep(WRITE_SECONDS)
            self._file.flush()


def command_id_in(octets: bytes) -> str:
    """The command's id; empty if the way does not send it."""
    found = _COMMAND_ID.search(octets)
    return found[1].decode() if found else ""


class HttpPeer(asyncio.Protocol):
    """HTTP, XML and SOAP: every request succeeds."""

    def __init__(self, way: WayName, log: Log, seconds: float) -> None:
        self._way = way
        self._log = log
        self._seconds = seconds
        self._held = b""
        self._begun = 0.0
        self._answers = {
            operation: response(line_as(way, operation, line))
            for operation, line in (("auth", f"OK: {SESSION}"), ("sendmsg", f"ID: {MESSAGE_ID}"))
        }

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if not self._held:
            self._begun = time.time()
        self._held += data
        head, found, rest = self._held.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not found or length is None or len(rest) < int(length[1]):
            return
        self._held = b""
        operation = operation_of(self._way, head, rest)
        if operation == "sendmsg":
            self._log.note(self._begun, command_id_in(rest))
        asyncio.get_running_loop().call_later(
            self._seconds, self._transport.write, self._answers[operation]
        )


class SmppPeer(asyncio.Protocol):
    """SMPP: a bind, and any number of submit_sm."""

    def __init__(self, log: Log, seconds: float) -> None:
        self._log = log
        self._seconds = seconds
        self._framer = Framer()
        self._taken = 0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        for octets in self._framer.feed(data):
            pdu = smpp_pdu.parse(octets)
            if pdu is None:
                raise RuntimeError(octets.hex())
            body = b""
            if pdu.command == Command.SUBMIT_SM:
                self._taken += 1
                self._log.note(time.time(), "")
                body = b"%d\0" % self._taken
            elif pdu.command == Command.BIND_TRANSMITTER:
                body = b"bench\0"
            answer = smpp_pdu.render(smpp_pdu.answer_to(pdu, Status.OK, body))
            asyncio.get_running_loop().call_later(self._seconds, self._transport.write, answer)


async def serve(way: WayName, path: Path, seconds: float) -> None:
    """Serve one way until killed."""
    loop, log = asyncio.get_running_loop(), Log(path)
    served: Any
    if way in (WayName.SMTP, WayName.FTP):
        dialogue: Callable[..., Any] = serve_smtp if way is WayName.SMTP else serve_ftp
        served = await asyncio.start_server(
            lambda reader, writer: dialogue(reader, writer, log.note, seconds),
            "127.0.0.1",
            0,
        )
    elif way is WayName.SMPP:
        served = await loop.create_server(lambda: SmppPeer(log, seconds), "127.0.0.1", 0)
    else:
        served = await loop.create_server(lambda: HttpPeer(way, log, seconds), "127.0.0.1", 0)
    sys.stdout.write(f"{served.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await log.run()


if __name__ == "__main__":
    given = float(sys.argv[3]) if len(sys.argv) > 3 else ANSWER_SECONDS
    uvloop.run(serve(WayName(sys.argv[1]), Path(sys.argv[2]), given))
