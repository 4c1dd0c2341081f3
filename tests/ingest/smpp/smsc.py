"""A gateway for tests, which can break and refuse where a library would not."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ingest.smpp.process import Receiver
from pipeline.settings import Settings
from pipeline.wire.smpp import bind as smpp_bind
from pipeline.wire.smpp import pdu as smpp_pdu
from pipeline.wire.smpp.pdu import Command, Framer, Pdu, Status

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from pipeline.wire.smpp.bind import Bind
    from tests.ingest.http.support import FakePublisher

PATIENCE_SECONDS = 20.0
SECRET = "hush"


def with_sequence(pdu: bytes, sequence: int) -> bytes:
    """The same PDU with another sequence number."""
    return pdu[:12] + sequence.to_bytes(4, "big") + pdu[16:]


async def until(holds: Callable[[], bool]) -> None:
    """Return once the condition holds; raise `TimeoutError` if it does not."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110 - nothing says when
            await asyncio.sleep(0.005)


@dataclass
class Session:
    """One connection of an ESME."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    bind: Bind | None = None
    command: int = 0
    framer: Framer = field(default_factory=Framer)
    waiting: list[Pdu] = field(default_factory=list)
    passed: list[Pdu] = field(default_factory=list)

    def send(self, command: int, sequence: int, body: bytes = b"", status: int = 0) -> None:
        self.writer.write(smpp_pdu.render(Pdu(command, status, sequence, body)))

    async def read(self) -> Pdu:
        """The next PDU; raises `ConnectionError` at the end."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not self.waiting:
                octets = await self.reader.read(65536)
                if not octets:
                    raise ConnectionError("the ESME closed the connection")
                found = [smpp_pdu.parse(each) for each in self.framer.feed(octets)]
                self.waiting += [pdu for pdu in found if pdu]
        return self.waiting.pop(0)

    async def read_only(self, command: int) -> Pdu:
        """The next PDU of this command; other PDUs are kept for later calls."""
        for at, pdu in enumerate(self.passed):
            if pdu.command == command:
                return self.passed.pop(at)
        while (pdu := await self.read()).command != command:
            self.passed.append(pdu)
        return pdu

    async def deliver(self, pdu: bytes, *, sequence: int) -> int:
        """Deliver a PDU, whatever its own sequence number is; return the status of the answer."""
        self.writer.write(with_sequence(pdu, sequence))
        answer = await self.read_only(Command.DELIVER_SM_RESP)
        assert answer.sequence == sequence
        return answer.status

    async def deliver_some(self, pdus: dict[int, bytes]) -> set[int]:
        """Deliver these at once, `n` with sequence number n + 1; return which were answered OK."""
        for number, pdu in pdus.items():
            self.writer.write(with_sequence(pdu, number + 1))
        answers = [await self.read_only(Command.DELIVER_SM_RESP) for _ in pdus]
        return {answer.sequence - 1 for answer in answers if answer.status == Status.OK}

    async def confirm(self) -> None:
        """Answer the next enquire_link."""
        asked = await self.read_only(Command.ENQUIRE_LINK)
        self.send(Command.ENQUIRE_LINK_RESP, asked.sequence)

    async def confirm_until(self, holds: Callable[[], bool]) -> None:
        """Answer every enquire_link until the condition holds."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not holds():
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.01):
                        await self.confirm()


class Smsc:
    """Listens. It refuses binds with the status `refuses` (0: none), hangs up or is silent."""

    def __init__(self) -> None:
        self.refuses = 0
        self.hangs_up = False
        self.greets = b""
        self.is_silent = False
        self.attempts = 0
        self.port = 0
        self.writers: list[asyncio.StreamWriter] = []
        self._attempted: asyncio.Queue[int] = asyncio.Queue()
        self._bound: asyncio.Queue[Session] = asyncio.Queue()

    async def bound(self) -> Session:
        """The next session that is bound."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self._bound.get()

    async def attempted(self, times: int) -> None:
        """Wait until this many binds were tried."""
        while await self._attempted.get() < times:
            pass

    def end(self) -> None:
        """Break every connection."""
        for writer in self.writers:
            writer.transport.abort()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(reader, writer)
        self.writers.append(writer)
        writer.write(self.greets)
        if self.hangs_up:
            writer.close()
            return
        request = await session.read()
        if self.is_silent:
            return
        self.attempts += 1
        self._attempted.put_nowait(self.attempts)
        session.command, session.bind = request.command, smpp_bind.parse(request.body)
        answer = request.command | smpp_pdu.ANSWER
        session.send(answer, request.sequence, b"" if self.refuses else b"smsc\0", self.refuses)
        if self.refuses:
            writer.close()
        else:
            self._bound.put_nowait(session)


def settings_for(home: Path, port: int, **given: Any) -> Settings:
    """Settings that bind to a gateway on this machine."""
    fields: dict[str, Any] = {
        "home": home,
        "smpp_host": "127.0.0.1",
        "smpp_port": port,
        "smpp_system_id": "two",
        "smpp_password": SECRET,
        "smpp_system_type": "12345",
        "smpp_tls": "off",
    }
    return Settings(**fields | given)


@asynccontextmanager
async def receiving(
    home: Path, publisher: FakePublisher, *, tls: Any = None, **given: Any
) -> AsyncIterator[tuple[Smsc, asyncio.Event, asyncio.Task[None]]]:
    """A gateway, and a receiver that binds to it; the event ends the receiver."""
    smsc = Smsc()
    server = await asyncio.start_server(smsc.connected, "127.0.0.1", 0, ssl=tls)
    smsc.port = server.sockets[0].getsockname()[1]
    ended = asyncio.Event()
    receiver = Receiver(settings_for(home, smsc.port, **given), publisher=publisher)
    running = asyncio.create_task(receiver.run(ended))
    try:
        yield smsc, ended, running
    finally:
        ended.set()
        server.close()
        running.cancel()
        await asyncio.wait([running])
        smsc.end()
        await server.wait_closed()
