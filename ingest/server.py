"""Connections: octets in, answers out, limits on time, memory and number.

An own server because the ready ones refuse or shorten targets that hold a message: decision 0020.
Only `http1` reads octets.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from email.utils import formatdate
from enum import Enum, auto
from time import monotonic
from typing import TYPE_CHECKING, Final, Protocol, cast

from ingest.answers import BUSY, FAILED, Answer, words
from ingest.http1 import BadRequest, Head, RequestReader

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable

    from ingest.service import Call

log = logging.getLogger("twoway.ingest")

SWEEP_SECONDS: Final = 0.5
CONNECTIONS: Final = 8_192


class CannotListen(OSError):
    """The address or port is not to be had; the words say which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one process bears; beyond it the answer is 503, 408 or 413, never a crash."""

    body_octets: int = 65_536
    head_seconds: float = 10.0
    body_seconds: float = 30.0
    idle_seconds: float = 75.0
    linger_seconds: float = 2.0
    connections: int = CONNECTIONS
    requests: int = 4_096
    octets: int = 32 * 1024 * 1024


class Handler(Protocol):
    """Says what to answer: `judge` before the body is read, `answer` after."""

    def judge(self, head: Head, peer: str) -> Answer | Call: ...

    def answer(self, call: Call, body: bytes) -> Awaitable[Answer]: ...

    def answered(
        self, call: Call | None, head: Head | None, answer: Answer, seconds: float
    ) -> None: ...

    def failed(self, error: Exception) -> None: ...


class _Waits(Enum):
    """What a connection waits for, each with its own limit of time."""

    FOR_HEAD = auto()
    FOR_BODY = auto()
    FOR_ANSWER = auto()
    FOR_CLIENT_TO_READ = auto()
    FOR_CLIENT_TO_CLOSE = auto()


class Connection(asyncio.Protocol):
    """One client: its requests are answered one after the other."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._reader = RequestReader(body_limit=server.limits.body_octets)
        self._waits = _Waits.FOR_HEAD
        self._since = monotonic()
        self._started = self._since
        self._head: Head | None = None
        self._call: Call | None = None
        self._held = 0
        self._writable = True
        self._paused = False
        self._client_is_done = False
        self._task: asyncio.Task[None] | None = None

    # What asyncio tells us.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self._peer = str(peer[0]) if peer else ""
        if self._server.admit(self):
            return
        self._finish(BUSY, keeps_alive=False)

    def connection_lost(self, error: Exception | None) -> None:
        self._server.forget(self)
        self._hold(0)

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        if self._waits is _Waits.FOR_CLIENT_TO_READ:
            self._go_on()

    def eof_received(self) -> bool:
        """A client that closed its side gets the answer of a request it finished, no more."""
        self._client_is_done = True
        is_tls = self._transport.get_extra_info("sslcontext") is not None  # cannot be half open
        return not is_tls and self._waits in (_Waits.FOR_ANSWER, _Waits.FOR_CLIENT_TO_READ)

    def data_received(self, octets: bytes) -> None:
        if self._waits is _Waits.FOR_CLIENT_TO_CLOSE:
            return
        if self._reader.is_idle and self._waits is _Waits.FOR_HEAD:
            self._since = self._started = monotonic()
        self._reader.feed(octets)
        if self._waits in (_Waits.FOR_ANSWER, _Waits.FOR_CLIENT_TO_READ):
            if self._reader.held_octets > self._server.limits.body_octets and not self._paused:
                self._paused = True
                self._transport.pause_reading()
            return
        self._read()

    # One request.

    def _read(self) -> None:
        try:
            if self._waits is _Waits.FOR_HEAD and not self._read_head():
                return
            body = self._reader.read_body()
        except BadRequest as refusal:
            self._finish(words(refusal.status, str(refusal)), keeps_alive=False)
            return
        if not self._hold(self._reader.held_octets):
            self._finish(BUSY, keeps_alive=False)
        elif body is not None:
            self._start_answer(body)

    def _read_head(self) -> bool:
        """Whether the body is to be read now."""
        self._head = head = self._reader.read_head()
        if head is None:
            return False
        judged = self._server.handler.judge(head, self._peer)
        if isinstance(judged, Answer):
            self._finish(judged, keeps_alive=False)
            return False
        self._call = judged
        if head.awaits_continue:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._wait(_Waits.FOR_BODY)
        return True

    def _start_answer(self, body: bytes) -> None:
        if self._server.is_full or self._call is None:
            self._finish(BUSY, keeps_alive=False)
            return
        self._server.in_flight += 1
        self._wait(_Waits.FOR_ANSWER)
        self._task = self._server.loop.create_task(self._answer(self._call, body))

    async def _answer(self, call: Call, body: bytes) -> None:
        try:
            answer = await self._server.handler.answer(call, body)
        except Exception as error:  # a defect of ours; the gateway must try again, not give up
            self._server.handler.failed(error)
            answer = FAILED
        finally:
            self._server.in_flight -= 1
        ends = self._client_is_done or self._server.is_closing
        self._finish(answer, keeps_alive=call.head.keeps_alive and not ends)

    def _finish(self, answer: Answer, *, keeps_alive: bool) -> None:
        """Write the answer; then the next request, or the end of the connection."""
        head, call = self._head, self._call
        self._head = self._call = None
        self._server.handler.answered(call, head, answer, monotonic() - self._started)
        if self._transport.is_closing():
            return
        self._transport.write(
            answer.as_octets(
                date=self._server.date(),
                keeps_alive=keeps_alive,
                has_body=head is None or head.method != "HEAD",
            )
        )
        if not keeps_alive:
            self._linger()
        elif self._writable:
            self._go_on()
        else:
            self._wait(_Waits.FOR_CLIENT_TO_READ)

    def _go_on(self) -> None:
        self._reader.start_next()
        self._hold(0)
        self._wait(_Waits.FOR_HEAD)
        if not self._reader.is_idle:
            self._started = self._since
            self._read()
        self._resume_reading()

    def _resume_reading(self) -> None:
        if self._paused and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()

    def _linger(self) -> None:
        """Let the client read the answer first: octets it still sends would reset the connection.

        RFC 9112 9.6: close the writing side, read on for a while, then close.
        """
        self._wait(_Waits.FOR_CLIENT_TO_CLOSE)
        self._hold(0)
        self._reader = RequestReader(body_limit=0)
        self._resume_reading()
        if self._client_is_done:
            self._transport.close()
        elif self._transport.can_write_eof():
            self._transport.write_eof()

    # Limits.

    def _wait(self, what: _Waits) -> None:
        self._waits = what
        self._since = monotonic()

    def _hold(self, octets: int) -> bool:
        """Account for what is kept in memory; whether all connections together may keep it."""
        self._server.held_octets += octets - self._held
        self._held = octets
        return self._server.held_octets <= self._server.limits.octets

    @property
    def is_idle(self) -> bool:
        """Whether no request is under way."""
        return self._waits is _Waits.FOR_HEAD and self._reader.is_idle

    def check_time(self, now: float) -> None:
        """End the connection when it has waited too long."""
        waited = now - self._since
        limits = self._server.limits
        if self._waits is _Waits.FOR_HEAD and self._reader.is_idle:
            if waited > limits.idle_seconds:
                self._transport.close()
        elif self._waits is _Waits.FOR_HEAD:
            if waited > limits.head_seconds:
                self._finish(words(408, "the head took too long"), keeps_alive=False)
        elif self._waits is _Waits.FOR_BODY:
            if waited > limits.body_seconds:
                self._finish(words(408, "the body took too long"), keeps_alive=False)
        elif self._waits is not _Waits.FOR_ANSWER and waited > limits.linger_seconds:
            self._transport.abort()

    def close(self) -> None:
        """End it at once when idle; a request under way is answered first."""
        if self.is_idle:
            self._transport.close()

    def abort(self) -> None:
        """End it whatever it does."""
        self._transport.abort()


class Server:
    """Listens, and keeps the connections within the limits."""

    def __init__(self, handler: Handler, limits: Limits) -> None:
        self.handler = handler
        self.limits = limits
        self.loop = asyncio.get_running_loop()
        self.in_flight = 0
        self.held_octets = 0
        self.is_closing = False
        self._connections: set[Connection] = set()
        self._date = (0, "")
        self._none_left = asyncio.Event()
        self._sweep_handle: asyncio.TimerHandle | None = None

    @property
    def is_full(self) -> bool:
        """Whether one more request is too many."""
        return self.in_flight >= self.limits.requests

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._connections)

    def admit(self, connection: Connection) -> bool:
        """Whether one more client can be served; it is known from now on either way."""
        self._connections.add(connection)
        return len(self._connections) <= self.limits.connections

    def forget(self, connection: Connection) -> None:
        """The client is gone."""
        self._connections.discard(connection)
        if not self._connections:
            self._none_left.set()

    def date(self) -> str:
        """The time as RFC 9110 5.6.7 has it, made once a second."""
        second = int(self.loop.time())
        if second != self._date[0]:
            self._date = (second, formatdate(usegmt=True))
        return self._date[1]

    async def start(self, *, host: str, port: int, tls: ssl.SSLContext | None) -> int:
        """Listen; the port, which the system chose when it was 0. Raises `CannotListen`."""
        try:
            self._listener = await self.loop.create_server(
                lambda: Connection(self),
                host,
                port,
                ssl=tls,
                backlog=1024,
                ssl_handshake_timeout=self.limits.head_seconds if tls else None,
            )
        except OSError as error:
            raise CannotListen(f"cannot listen on {host}:{port}: {error.strerror}") from error
        self._sweep()
        return int(self._listener.sockets[0].getsockname()[1])

    def _sweep(self) -> None:
        now = monotonic()
        for connection in list(self._connections):
            connection.check_time(now)
        self._sweep_handle = self.loop.call_later(SWEEP_SECONDS, self._sweep)

    async def stop(self, *, patience_seconds: float) -> None:
        """Take no more, answer what is under way, close; what is left after `patience` is cut."""
        self.is_closing = True
        self._listener.close()
        for connection in list(self._connections):
            connection.close()
        self._none_left.clear()
        if self._connections:
            try:
                async with asyncio.timeout(patience_seconds):
                    await self._none_left.wait()
            except TimeoutError:
                log.warning("%d connections cut", len(self._connections))
        for connection in list(self._connections):
            connection.abort()
        if self._sweep_handle is not None:
            self._sweep_handle.cancel()
