"""A gateway on loopback: it counts its requests, and gives the answers that the test sets."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from pipeline.sender.apis.api import Api, WayName
from pipeline.sender.ways.http import HttpWay
from pipeline.sender.ways.soap import SoapWay
from pipeline.sender.ways.xml import XmlWay

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable

    from pipeline.sender.ways.over_http.way import WayOverHttp

PASSWORD = "pass&<word>-31337"
SESSION = "5e6a5e4b7ac6e8f4bd0a0a1b2c3d4e5f"
MESSAGE_ID = "18e8221e5aa50cfad72376e08f40388a"
WAYS: dict[WayName, type[WayOverHttp]] = {
    WayName.HTTP: HttpWay,
    WayName.XML: XmlWay,
    WayName.SOAP: SoapWay,
}


@dataclass
class Counterpart:
    """The answer to each operation: octets, written unchanged; then it closes or waits."""

    way: WayName = WayName.HTTP
    answers: dict[str, Callable[[], bytes]] = field(default_factory=dict)
    closes: bool = False  # after each answer, though the answer does not say so
    hangs_on: str = ""
    seconds: float = 0.0  # before each answer
    port: int = 0
    connections: int = 0
    seen: list[tuple[str, bytes]] = field(default_factory=list)  # operation and the whole request
    open_writers: set[asyncio.StreamWriter] = field(default_factory=set)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def count(self, operation: str) -> int:
        return sum(seen == operation for seen, _ in self.seen)

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until a request or the end of a connection makes the condition true."""
        while not is_so():
            self.changed.clear()
            await self.changed.wait()

    def says(self, operation: str, line: str) -> None:
        """From now on answer with a line of the gateway, in the form of this way."""
        octets = response(line_as(self.way, operation, line))
        self.answers[operation] = lambda: octets

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open_writers.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])  # type: ignore[index]
                body = await reader.readexactly(length)
                operation = operation_of(self.way, head, body)
                self.seen.append((operation, head + body))
                self.changed.set()
                if operation == self.hangs_on:
                    await reader.read()
                    return
                await asyncio.sleep(self.seconds)
                octets = self.answers[operation]()
                writer.write(octets)
                await writer.drain()
                if self.closes or b"\r\nConnection: close\r\n" in octets or not octets:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()
            self.open_writers.discard(writer)
            self.changed.set()


@asynccontextmanager
async def counterpart(
    way: WayName = WayName.HTTP, *, tls: ssl.SSLContext | None = None, **changes: Any
) -> AsyncIterator[Counterpart]:
    """A counterpart that takes everything, until the test sets another answer."""
    peer = Counterpart(way=way, **changes)
    for operation, line in (
        ("auth", f"OK: {SESSION}"),
        ("ping", "OK: "),
        ("sendmsg", f"ID: {MESSAGE_ID}"),
        ("querymsg", f"ID: {MESSAGE_ID}  Status: 003"),
        ("getmsgcharge", f"apiMsgId: {MESSAGE_ID} charge: 0.33 status: 003"),
    ):
        if operation not in peer.answers:
            peer.says(operation, line)
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0, ssl=tls, limit=1 << 20)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        for writer in list(peer.open_writers):
            writer.close()
        await server.wait_closed()
        await peer.until(lambda: not peer.open_writers)


@asynccontextmanager
async def way_to(peer: Counterpart, **changes: Any) -> AsyncIterator[WayOverHttp]:
    """The way to the counterpart, closed at the end."""
    way = WAYS[peer.way](api_of(peer, **changes))
    try:
        yield way
    finally:
        await way.close()


def api_of(peer: Counterpart, **changes: Any) -> Api:
    settings = {
        "api_id": "1234",
        "way": peer.way,
        "url": f"http://127.0.0.1:{peer.port}",
        "user": "its-user",
        "password": PASSWORD,
        "tls": "off",
        "timeout_seconds": 5.0,
    }
    return Api(**(settings | changes))


def response(
    body: bytes, *, status: str = "200 OK", headers: str = "", length: int | None = None
) -> bytes:
    length = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n".encode() + body


def operation_of(way: WayName, head: bytes, body: bytes) -> str:
    """The operation by its HTTP name."""
    assert head.startswith(b"POST ")
    if way is WayName.HTTP:
        return head.split(b" ", 2)[1].decode().removeprefix("/http/")
    document = dict(parse_qsl(body.decode()))["data"] if way is WayName.XML else body.decode()
    pattern = r"<clickAPI><(\w+)>" if way is WayName.XML else r"<tns:(\w+) "
    return re.search(pattern, document)[1].lower()  # type: ignore[index]


def line_as(way: WayName, operation: str, line: str) -> bytes:
    """A line of the gateway as the document of this way has it."""
    if way is WayName.HTTP:
        return line.encode()
    if way is WayName.SOAP:
        return (
            "<E:Envelope xmlns:E='http://schemas.xmlsoap.org/soap/envelope/'><E:Body>"
            f"<n:{operation}Response xmlns:n='soap.clickatell.com'><return>{escape(line)}</return>"
            f"</n:{operation}Response></E:Body></E:Envelope>"
        ).encode()
    name = {"sendmsg": "sendMsg", "querymsg": "queryMsg", "getmsgcharge": "getMsgCharge"}
    tag = f"{name.get(operation, operation)}Resp"
    return f"<clickAPI><{tag}>{_children(operation, line)}</{tag}></clickAPI>".encode()


def _children(operation: str, line: str) -> str:
    if line.startswith("ERR: "):
        return f"<fault>{escape(line.removeprefix('ERR: '))}</fault>"
    if line.startswith("OK:"):
        value = line.removeprefix("OK:").strip()
        return f"<session_id>{value}</session_id>" if operation == "auth" else "<ok>OK</ok>"
    words = line.split()
    names = {"ID:": "apiMsgId", "apiMsgId:": "apiMsgId", "Status:": "status", "status:": "status"}
    pairs = zip(words[::2], words[1::2], strict=True)
    return "".join(
        f"<{(tag := names.get(name, 'charge'))}>{value}</{tag}>" for name, value in pairs
    )
