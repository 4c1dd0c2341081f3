"""One client connection: reads requests and writes answers, with limits of time and memory.

`http1` parses the octets, and the handler decides what to answer.
"""

from __future__ import annotations

import asyncio
from enum import Enum, auto
from time import monotonic
from typing import TYPE_CHECKING, Protocol, cast

from ingest.http.answers import BUSY, FAILED, Answer, http_date, problem
from ingest.http.http1.head import BadRequest, Head
from ingest.http.http1.parser import RequestReader

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from ingest.http.capacity import Capacity
    from ingest.http.routes import Call


class Handler(Protocol):
    """Decides what to answer: `judge` before the body is read, `answer` after it."""

    def receive_head(self, head: Head, peer: str) -> Answer | Call: ...

    def answer(self, call: Call, body: bytes, *, is_cut: bool) -> Awaitable[Answer]: ...

    def answered(
        self, call: Call | None, head: Head | None, answer: Answer, seconds: float
    ) -> None: ...

    def failed(self, error: Exception) -> None: ...


class _Waits(Enum):
    """What a connection waits for. Each has its own time limit."""

    FOR_HEAD = auto()
    FOR_BODY = auto()
    FOR_ANSWER = auto()
    FOR_CLIENT_TO_READ = auto()
    FOR_CLIENT_TO_CLOSE = auto()


class Connection(asyncio.Protocol):
    """One client: its requests are answered one after the other."""

    def __init__(self, handler: Handler, capacity: Capacity) -> None:
        self._handler = handler
        self._capacity = capacity
        self._reader = RequestReader(body_limit=capacity.limits.body_octets)
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
        if self._capacity.admit(self):
            return
        self._finish(BUSY, keeps_alive=False)

    def connection_lost(self, error: Exception | None) -> None:
        self._capacity.remove(self)
        self._hold(0)

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        if self._waits is _Waits.FOR_CLIENT_TO_READ:
            self._go_on()

    def eof_received(self) -> bool:
        """A client that closed its side still gets the answer to its complete request."""
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
            self._hold(self._reader.held_octets)
            if self._held > self._capacity.limits.body_octets and not self._paused:
                self._paused = True
                self._transport.pause_reading()
            return
        self._read()

    # One request.

    def _read(self) -> None:
        if not self._hold(self._reader.held_octets):
            self._finish(BUSY, keeps_alive=False)
            return
        try:
            if self._waits is _Waits.FOR_HEAD and not self._read_head():
                return
            body = self._reader.read_body()
            if self._reader.is_too_long and self._call and not self._call.keeps_cut_bodies:
                raise BadRequest("the body is too long", status=413)
        except BadRequest as refusal:
            self._finish(problem(refusal.status, str(refusal)), keeps_alive=False)
            return
        if body is not None:
            self._start_answer(body)

    def _read_head(self) -> bool:
        """Read the head; whether the body must be read now."""
        self._head = head = self._reader.read_head()
        if head is None:
            return False
        received = self._handler.receive_head(head, self._peer)
        if isinstance(received, Answer):
            self._finish(received, keeps_alive=False)
            return False
        self._call = received
        if head.awaits_continue and (received.keeps_cut_bodies or not self._reader.is_too_long):
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._wait(_Waits.FOR_BODY)
        return True

    def _start_answer(self, body: bytes) -> None:
        if self._capacity.is_full or self._call is None:
            self._finish(BUSY, keeps_alive=False)
            return
        self._capacity.in_flight += 1
        self._wait(_Waits.FOR_ANSWER)
        self._task = asyncio.create_task(self._answer(self._call, body))

    async def _answer(self, call: Call, body: bytes) -> None:
        try:
            answer = await self._handler.answer(call, body, is_cut=self._reader.is_too_long)
        except Exception as error:  # a defect of ours: answer 503, so that the gateway tries again
            self._handler.failed(error)
            answer = FAILED
        finally:
            self._capacity.in_flight -= 1
        ends = self._client_is_done or self._capacity.is_closing or self._reader.is_too_long
        self._finish(answer, keeps_alive=call.head.keeps_alive and not ends)

    def _finish(self, answer: Answer, *, keeps_alive: bool) -> None:
        """Write the answer, then go on with the next request or end the connection."""
        head, call = self._head, self._call
        self._head = self._call = None
        self._handler.answered(call, head, answer, monotonic() - self._started)
        if self._transport.is_closing():
            return
        self._transport.write(
            answer.as_octets(
                date=http_date(),
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
        """Close the writing side, read on for a while, then close (RFC 9112 9.6).

        If we closed at once, octets that the client still sends would reset the connection before
        the client has read the answer.
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
        """Count the octets that this connection keeps; whether all connections are in the limit."""
        self._capacity.held_octets += octets - self._held
        self._held = octets
        return self._capacity.held_octets <= self._capacity.limits.octets

    @property
    def is_idle(self) -> bool:
        """Whether the connection has no request, not even a part of one."""
        return self._waits is _Waits.FOR_HEAD and self._reader.is_idle

    def check_time(self, now: float) -> None:
        """End the connection if it has waited too long."""
        waited = now - self._since
        limits = self._capacity.limits
        if self._waits is _Waits.FOR_HEAD and self._reader.is_idle:
            if waited > limits.idle_seconds:
                self._transport.close()
        elif self._waits is _Waits.FOR_HEAD:
            if waited > limits.head_seconds:
                self._finish(problem(408, "the head took too long"), keeps_alive=False)
        elif self._waits is _Waits.FOR_BODY:
            if waited > limits.body_seconds:
                self._finish(problem(408, "the body took too long"), keeps_alive=False)
        elif self._waits is not _Waits.FOR_ANSWER and waited > limits.linger_seconds:
            self._transport.abort()

    def close(self) -> None:
        """Close the connection if it is idle. A request in progress is answered first."""
        if self.is_idle:
            self._transport.close()

    def abort(self) -> None:
        """End the connection at once."""
        self._transport.abort()
