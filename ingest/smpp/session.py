"""One bind, from its first octet to its last."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from ingest.smpp import metrics
from pipeline.wire.smpp import bind as smpp_bind
from pipeline.wire.smpp import pdu as smpp_pdu
from pipeline.wire.smpp.pdu import DELIVERIES, Command, Framer, Pdu, Status

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

    from ingest.smpp.deliveries import AnswerRead, Deliveries
    from pipeline.wire.smpp.bind import Bind

log = logging.getLogger("twoway.smpp")

BIND_SECONDS: Final = 30.0
UNBIND_SECONDS: Final = 3.0
#: While answers may not have reached the gateway it is asked this often.
CONFIRM_SECONDS: Final = 2.0
READ_OCTETS: Final = 256 * 1024
#: Of deliveries that wait, whatever their number.
WAITING_OCTETS: Final = 4 * 1024 * 1024


CLOSED: Final = "the gateway closed the connection"


class BindRefused(Exception):
    """The gateway refused the bind; `status` is its reason."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the gateway refused the bind with status 0x{status:08X}")
        self.status = status


class Broken(Exception):
    """The connection ended or makes no sense; the words say how."""


class Session:
    """Answers what the gateway asks; a window of deliver_sm at a time waits for Kafka."""

    def __init__(
        self,
        reader: StreamReader,
        writer: StreamWriter,
        *,
        deliveries: Deliveries,
        window: int,
        enquire_seconds: float,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._deliveries = deliveries
        self._window = asyncio.Semaphore(window)
        self._enquire_seconds = enquire_seconds
        self._framer = Framer()
        self._early: list[Pdu] = []  # came in the same piece as the answer to the bind
        self._sequence = 0  # of the last request of ours
        self._working: dict[asyncio.Task[None], int] = {}  # with the octets of each
        self._waiting_octets = 0
        self._written: list[AnswerRead] = []  # since the last request of ours
        self._asked: tuple[int, list[AnswerRead]] | None = (
            None  # its sequence, and what went before
        )
        self._answer = asyncio.Event()
        self._heard = asyncio.get_running_loop().time()

    async def bind(self, command: Command, bind: Bind) -> None:
        """Bind; raises `BindRefused`, `Broken` or `TimeoutError`."""
        sequence = self._next_sequence()
        self._send(Pdu(command, 0, sequence, smpp_bind.render(bind)))
        async with asyncio.timeout(BIND_SECONDS):
            while True:
                found = await self._read()
                for at, pdu in enumerate(found, 1):
                    if pdu.sequence == sequence and pdu.is_answer:
                        self._early = found[at:]
                        if pdu.status != Status.OK:
                            raise BindRefused(pdu.status)
                        if pdu.command != smpp_pdu.ANSWER | command:
                            raise Broken("the answer to the bind is of another command")
                        return

    async def receive(self) -> None:
        """Take what comes until the gateway unbinds; raises `Broken` or `OSError`."""
        enquiring = asyncio.create_task(self._enquire())
        reading = asyncio.create_task(self._receive())
        try:
            await asyncio.wait([enquiring, reading], return_when=asyncio.FIRST_COMPLETED)
            for task in (enquiring, reading):
                if task.done():
                    task.result()
        finally:
            for task in (enquiring, reading):
                task.cancel()
            await asyncio.gather(enquiring, reading, return_exceptions=True)

    async def unbind(self) -> None:
        """Answer what waits, unbind, and publish that the answers have arrived."""
        if self._working:
            await asyncio.wait(self._working)
        try:
            async with asyncio.timeout(UNBIND_SECONDS):
                self._ask(Command.UNBIND)
                while not self._answer.is_set():
                    for pdu in await self._read():
                        if pdu.command not in DELIVERIES:  # those come again by the next bind
                            await self._take(pdu)
        except (TimeoutError, OSError, Broken) as error:
            log.warning("the gateway did not answer the unbind: %s", error or "in time")

    async def close(self) -> None:
        """End what is left of it at once."""
        for task in self._working:
            task.cancel()
        if self._working:
            await asyncio.wait(self._working)
        self._writer.transport.abort()

    def _next_sequence(self) -> int:
        self._sequence = smpp_pdu.sequence_after(self._sequence)
        return self._sequence

    def _send(self, pdu: Pdu) -> None:
        """Raises `Broken` once the connection has ended: uvloop has a `RuntimeError` for that."""
        if self._writer.transport.is_closing():
            raise Broken(CLOSED)
        try:
            self._writer.write(smpp_pdu.render(pdu))
        except RuntimeError as error:
            raise Broken(CLOSED) from error

    async def _flush(self) -> None:
        """Hand over what was sent, before the connection is ended."""
        try:
            self._writer.transport.set_write_buffer_limits(0)
            async with asyncio.timeout(UNBIND_SECONDS):
                await self._writer.drain()
        except (TimeoutError, OSError, RuntimeError) as error:
            log.debug("the gateway did not take the last octets: %s", error or "in time")

    async def _read(self) -> list[Pdu]:
        if self._early:
            early, self._early = self._early, []
            return early
        if self._framer.fault:
            self._send(Pdu(Command.GENERIC_NACK, Status.INVALID_COMMAND_LENGTH, 0))  # 4.3.1
            await self._flush()
            raise Broken(self._framer.fault)
        octets = await self._reader.read(READ_OCTETS)
        if not octets:
            raise Broken(CLOSED)
        found = [pdu for each in self._framer.feed(octets) if (pdu := smpp_pdu.parse(each))]
        # An octet a second is no sign of life, nor is an answer that nobody asked for.
        if any(not pdu.is_answer for pdu in found):
            self._heard = asyncio.get_running_loop().time()
        return found

    async def _receive(self) -> None:
        while True:
            for pdu in await self._read():
                if pdu.command in DELIVERIES:
                    await self._begin_delivery(pdu)
                elif await self._take(pdu):
                    return
            await self._writer.drain()

    async def _take(self, pdu: Pdu) -> bool:
        """Take what is no delivery; whether it ended the bind."""
        match pdu.command:
            case Command.ENQUIRE_LINK:
                self._send(smpp_pdu.answer_to(pdu))
            case Command.UNBIND:
                if self._working:
                    await asyncio.wait(self._working)
                self._send(smpp_pdu.answer_to(pdu))
                await self._flush()
                return True
            case Command.ALERT_NOTIFICATION:  # has no answer (SMPP 3.4 4.12)
                pass
            case _ if pdu.is_answer:
                await self._take_answer(pdu)
            case _:
                self._send(Pdu(Command.GENERIC_NACK, Status.INVALID_COMMAND, pdu.sequence))
        return False

    async def _begin_delivery(self, pdu: Pdu) -> None:
        """Once the window has room for it."""
        await self._window.acquire()
        while self._working and self._waiting_octets + len(pdu.body) > WAITING_OCTETS:
            await asyncio.wait(self._working, return_when=asyncio.FIRST_COMPLETED)
        task = asyncio.create_task(self._deliver(pdu))
        self._working[task] = len(pdu.body)
        self._waiting_octets += len(pdu.body)
        task.add_done_callback(self._done)
        metrics.WAITING.set(len(self._working))

    async def _deliver(self, pdu: Pdu) -> None:
        """Take it and answer. Where the connection has ended the gateway delivers it again."""
        reached: AnswerRead | None = None
        try:
            status, reached = await self._deliveries.take(pdu)
        except Exception as error:
            log.error("a delivery met a defect", exc_info=error)
            status = self._deliveries.failed()
        try:
            self._send(smpp_pdu.answer_to(pdu, status, b"\0"))  # message_id is unused (4.6.2)
        except Broken as broken:
            log.debug("a delivery is not answered: %s", broken)
            return
        if reached is not None:
            self._written.append(reached)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._waiting_octets -= self._working.pop(task)
        self._window.release()
        metrics.WAITING.set(len(self._working))

    def _ask(self, command: Command) -> None:
        """Ask something: its answer shows that the answers written before it have been read."""
        before = self._asked[1] if self._asked else []
        sequence = self._next_sequence()
        self._asked = (sequence, before + self._written)
        self._written = []
        self._answer.clear()
        self._send(Pdu(command, 0, sequence))

    async def _take_answer(self, pdu: Pdu) -> None:
        if self._asked is None or pdu.sequence != self._asked[0]:
            return
        (_, answers), self._asked = self._asked, None
        self._heard = asyncio.get_running_loop().time()
        self._answer.set()
        left = answers  # all of them, if this is cancelled: the unbind asks for them anew
        try:
            left = await self._deliveries.reached(pdu, answers)
        finally:
            self._written = left + self._written

    async def _enquire(self) -> None:
        """Ask while answers are under way, and when nothing was heard for long."""
        while True:
            await asyncio.sleep(min(CONFIRM_SECONDS, self._enquire_seconds))
            if self._writer.transport.is_closing():  # unseen while the window is full
                raise Broken(CLOSED)
            silent = asyncio.get_running_loop().time() - self._heard
            if not self._written and silent < self._enquire_seconds:
                continue
            self._ask(Command.ENQUIRE_LINK)
            try:
                async with asyncio.timeout(self._enquire_seconds):
                    await self._answer.wait()
            except TimeoutError:
                raise Broken("the gateway does not answer enquire_link") from None
