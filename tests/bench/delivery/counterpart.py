"""An application that answers every POST after 5 ms, and writes down when each came.

    python -m tests.bench.delivery.counterpart LOG

Prints its port.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from pathlib import Path
from typing import IO, Any, Final

import uvloop

ANSWER_SECONDS: Final = 0.005
ANSWER: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
_LENGTH: Final = re.compile(rb"\r\nContent-Length: (\d+)\r\n", re.IGNORECASE)
_ID: Final = re.compile(rb"moMsgId=([\w-]+)")


class Answering(asyncio.Protocol):
    """One connection: requests one after the other."""

    def __init__(self, log: IO[bytes]) -> None:
        self._log = log
        self._held = b""
        self._transport: Any = None  # uvloop's is none of asyncio's

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, octets: bytes) -> None:
        self._held += octets
        head, end, rest = self._held.partition(b"\r\n\r\n")
        found = _LENGTH.search(head + b"\r\n")
        length = int(found[1]) if found else 0
        if not end or len(rest) < length:
            return
        self._held = rest[length:]
        named = _ID.search(rest[:length])
        self._log.write(b"%.6f %s\n" % (time.time(), named[1] if named else b""))
        asyncio.get_running_loop().call_later(ANSWER_SECONDS, self._answer)

    def _answer(self) -> None:
        self._transport.write(ANSWER)


async def main(log: IO[bytes]) -> None:
    """Serve until killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Answering(log), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with Path(sys.argv[1]).open("ab", buffering=0) as came:
        uvloop.run(main(came))
