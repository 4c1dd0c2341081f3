"""An application at the other end of a path: a socket that answers, lies, hangs or cuts."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HANG = b"hang"  # after what is before it, nothing more comes


def answer(status: str, *headers: str, body: bytes = b"") -> bytes:
    """An answer with its length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@dataclass
class Application:
    """Answers each request with the next of `answers`, the last of them again and again.

    An empty answer closes the connection. `closes` closes after each answer.
    """

    answers: list[bytes] = field(default_factory=lambda: [OK])
    closes: bool = False
    seconds: float = 0.0
    port: int = 0
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    connections: int = 0
    at_once: int = 0
    most_at_once: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await self._one(reader, writer):
                pass
        writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        line = (await reader.readline()).decode().strip()
        if not line:
            return False
        headers = {}
        while header := (await reader.readline()).decode().strip():
            name, _, value = header.partition(":")
            headers[name.lower()] = value.strip()
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.requests.append((line, headers, body))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.seconds:
                await asyncio.sleep(self.seconds)
            said = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            writer.write(said.removesuffix(HANG))
            await writer.drain()
            if said.endswith(HANG):
                await asyncio.sleep(3600)
        finally:
            self.at_once -= 1
        return bool(said) and not self.closes


@asynccontextmanager
async def serving(application: Application) -> AsyncIterator[Application]:
    """The application on a port of its own."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            tasks.add(task)
        await application.serve(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", application.port, backlog=4096)
    application.port = server.sockets[0].getsockname()[1]
    try:
        yield application
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
