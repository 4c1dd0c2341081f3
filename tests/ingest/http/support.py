"""A running ingest with a publisher that keeps the records, and a client of raw octets."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ingest.http.access_log import AccessLog
from ingest.http.process import Ingest
from ingest.publish.lanes import settled
from pipeline.avro.single_object import decode
from pipeline.kafka.topics import partition_of
from pipeline.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from ingest.http.limits import Limits
    from pipeline.records import Record


def _no_broker() -> str:
    raise ConnectionError("no broker")


@dataclass
class FakePublisher:
    """The Kafka that ingest sees: it acknowledges or does not."""

    acknowledges: bool = True
    held: asyncio.Future[bool] | None = None
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    published: list[tuple[str, bytes | None, Record]] = field(default_factory=list)

    @property
    def is_reachable(self) -> bool:
        return self.acknowledges

    def partition_of(self, topic: str, key: bytes) -> int:
        return partition_of(key, 4)

    def publish(self, topic: str, *, key: bytes | None, value: bytes) -> Awaitable[bool]:
        self.asked.set()
        if self.held is not None:
            return asyncio.shield(self.held)
        if self.acknowledges:
            self.published.append((topic, key, decode(value)))
        return settled(self.acknowledges)

    def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    def of(self, topic: str) -> list[Record]:
        """The records of one topic."""
        return [record for name, _, record in self.published if name == topic]


@dataclass(frozen=True)
class Reply:
    """A response; names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Running:
    """An ingest that listens."""

    ingest: Ingest
    publisher: FakePublisher
    port: int
    log: list[str]

    async def exchange(self, *octets: bytes, has_body: bool = True) -> Reply:
        """Send octets unchanged on a separate connection; return the first response."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            for piece in octets:
                writer.write(piece)
                await writer.drain()
            return await read_reply(reader, has_body=has_body)
        finally:
            writer.close()

    async def get(self, target: bytes | str, *headers: str, method: str = "GET") -> Reply:
        """A request without a body."""
        target = target if isinstance(target, bytes) else target.encode()
        lines = [b"%s %s HTTP/1.1" % (method.encode(), target), b"Host: 127.0.0.1"]
        lines += [header.encode("latin-1") for header in headers]
        request = b"\r\n".join(lines) + b"\r\n\r\n"
        return await self.exchange(request, has_body=method != "HEAD")

    async def post(
        self,
        target: str,
        body: bytes,
        *headers: str,
        content_type: str = "application/x-www-form-urlencoded",
    ) -> Reply:
        """A request with a body."""
        lines = [
            f"POST {target} HTTP/1.1",
            "Host: 127.0.0.1",
            f"Content-Length: {len(body)}",
            *([f"Content-Type: {content_type}"] if content_type else []),
            *headers,
        ]
        return await self.exchange("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)

    def sample(self, name: str, **labels: str) -> float:
        """The value of a metric; 0 if it was never set."""
        return self.ingest.metrics.registry.get_sample_value(name, labels) or 0.0

    def logged(self) -> str:
        """The access log so far."""
        self.ingest.access_log.flush()
        return "".join(self.log)


async def read_reply(reader: asyncio.StreamReader, *, has_body: bool = True) -> Reply:
    """Read one response; raise `asyncio.IncompleteReadError` if the connection ends before."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip().split("\r\n")
    pairs = (line.split(": ", 1) for line in lines)
    headers = {name.lower(): value for name, value in pairs}
    status = int(first.split(" ")[1])
    length = int(headers.get("content-length", 0)) if has_body and status != 100 else 0
    return Reply(status, headers, await reader.readexactly(length))


@asynccontextmanager
async def running(
    settings: Settings | None = None,
    *,
    publisher: FakePublisher | None = None,
    limits: Limits | None = None,
    change: Callable[[Ingest], Any] = lambda ingest: None,
) -> AsyncIterator[Running]:
    """An ingest on a free port, without Kafka."""
    log: list[str] = []
    fake = publisher or FakePublisher()
    settings = settings or Settings(http_port=0)
    access_log = AccessLog(log.append)
    ingest = Ingest(settings, publisher=fake, access_log=access_log, bootstrap=_no_broker)
    ingest.limits = limits or ingest.limits
    ingest.tail.is_caught_up = True
    change(ingest)
    port = await ingest.start()
    try:
        yield Running(ingest, fake, port, log)
    finally:
        await ingest.stop()
