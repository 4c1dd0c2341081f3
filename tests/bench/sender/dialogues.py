"""The two ways with a dialogue of lines: the parts of a mail and an FTP server that are needed.

Every answer takes its time, the greeting too.
"""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import Callable

    Note = Callable[[float, str], None]

_MAIL_ID: Final = re.compile(rb"(?i)climsgid: *([0-9a-f]{32})")
_MAIL: Final = {b"EHLO": b"250-bench\r\n250 8BITMIME\r\n", b"DATA": b"354 go on\r\n"}
_FTP: Final = {
    b"USER": b"331 password\r\n",
    b"PASS": b"230 in\r\n",
    b"SIZE": b"550 no such file\r\n",
    b"MLST": b"550 no such file\r\n",
    b"RNFR": b"350 into what\r\n",
    b"QUIT": b"221 bye\r\n",
}


async def serve_smtp(
    reader: StreamReader, writer: StreamWriter, note: Note, seconds: float
) -> None:
    """Serve one connection of a mail server."""
    try:
        await _answer(writer, b"220 bench ESMTP\r\n", seconds)
        while line := await reader.readline():
            command = line[:4].upper()
            await _answer(writer, _MAIL.get(command, b"250 ok\r\n"), seconds)
            if command == b"DATA":
                mail = await reader.readexactly(1)
                at = time.time()
                mail += await reader.readuntil(b"\r\n.\r\n")
                found = _MAIL_ID.search(mail)
                note(at, found[1].decode() if found else "")
                await _answer(writer, b"250 queued\r\n", seconds)
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def serve_ftp(reader: StreamReader, writer: StreamWriter, note: Note, seconds: float) -> None:
    """Serve one connection of an FTP server; a file with its final name is a message."""
    came: asyncio.Queue[tuple[StreamReader, StreamWriter]] = asyncio.Queue()
    listening: asyncio.Server | None = None
    stored, begun = 0, 0.0
    try:
        await _answer(writer, b"220 bench\r\n", seconds)
        while line := await reader.readline():
            command, _, argument = line.strip().partition(b" ")
            if command in (b"EPSV", b"PASV"):
                listening = await asyncio.start_server(
                    lambda *streams: came.put_nowait(streams), "127.0.0.1", 0
                )
                port = listening.sockets[0].getsockname()[1]
                said = f"229 here (|||{port}|)\r\n"
                if command == b"PASV":
                    said = f"227 here (127,0,0,1,{port >> 8},{port & 255})\r\n"
                await _answer(writer, said.encode(), seconds)
            elif command == b"STOR" and listening is not None:
                writer.write(b"150 go on\r\n")
                incoming, outgoing = await came.get()
                first = await incoming.read(1)
                begun = time.time()
                stored = len(first + await incoming.read())
                outgoing.close()
                listening.close()
                await _answer(writer, b"226 stored\r\n", seconds)
            elif command == b"SIZE" and argument.endswith(b".part"):
                await _answer(writer, b"213 %d\r\n" % stored, seconds)
            else:
                if command == b"RNTO":
                    note(begun, argument.decode().removesuffix(".txt"))
                await _answer(writer, _FTP.get(command, b"200 ok\r\n"), seconds)
            if command == b"QUIT":
                return
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        if listening is not None:
            listening.close()
        writer.close()


async def _answer(writer: StreamWriter, octets: bytes, seconds: float) -> None:
    await asyncio.sleep(seconds)
    writer.write(octets)
