"""One bind that receives, from its first delivery to its last."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from ingest.smpp import metrics
from pipeline.peer.smpp import CLOSED, UNBIND_SECONDS, Broken
from pipeline.wire.smpp import pdu as smpp_pdu
from pipeline.wire.smpp.pdu import DELIVERIES, Command, Pdu, Status

if TYPE_CHECKING:
    from ingest.smpp.deliveries import AnswerRead, Deliveries
    from pipeline.peer.smpp import Link

log = logging.getLogger("twoway.smpp")

#: The pause between enquire_links while answers may not have reached the gateway.
CONFIRM_SECONDS: Final = 2.0
#: The most octets of all deliveries that wait together.
WAITING_OCTETS: Final = 4 * 1024 * 1024


class Session:
    """Answers the gateway's requests. At most `window` deliver_sm wait for Kafka at a time."""

    def __init__(
        self,
        link: Link,
        *,
        deliveries: Deliveries,
        window: int,
        enquire_seconds: float,
    ) -> None:
        self._link = link
        self._deliveries = deliveries
        self._window = asyncio.Semaphore(window)
        self._enquire_seconds = enquire_seconds
        self._working: dict[asyncio.Task[None], int] = {}  # with the octets of each
        self._waiting_octets = 0
        self._written: list[AnswerRead] = []  # answers since our last request
        self._asked: tuple[int, list[AnswerRead]] | None = (
            None  # the sequence of our request, and the answers before it
        )
        self._answer = asyncio.Event()

    async def receive(self) -> None:
        """Receive until the gateway unbinds; raises `Broken` or `OSError`."""
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
        """Answer the waiting deliveries, unbind, and publish that the answers have arrived."""
        if self._working:
            await asyncio.wait(self._working)
        try:
            async with asyncio.timeout(UNBIND_SECONDS):
                self._ask(Command.UNBIND)
                while not self._answer.is_set():
                    for pdu in await self._link.read():
                        if pdu.command not in DELIVERIES:  # those come again by the next bind
                            await self._take(pdu)
        except (TimeoutError, OSError, Broken) as error:
            log.warning("the gateway did not answer the unbind: %s", error or "in time")

    async def close(self) -> None:
        """End the connection at once."""
        for task in self._working:
            task.cancel()
        if self._working:
            await asyncio.wait(self._working)
        self._link.abort()

    async def _receive(self) -> None:
        while True:
            for pdu in await self._link.read():
                if pdu.command in DELIVERIES:
                    await self._begin_delivery(pdu)
                elif await self._take(pdu):
                    return
            await self._link.drained()

    async def _take(self, pdu: Pdu) -> bool:
        """Process a PDU that is not a delivery; whether it ended the bind."""
        match pdu.command:
            case Command.ENQUIRE_LINK:
                self._link.send(smpp_pdu.answer_to(pdu))
            case Command.UNBIND:
                if self._working:
                    await asyncio.wait(self._working)
                self._link.send(smpp_pdu.answer_to(pdu))
                await self._link.flush()
                return True
            case Command.ALERT_NOTIFICATION:  # has no answer (SMPP 3.4 4.12)
                pass
            case _ if pdu.is_answer:
                await self._take_answer(pdu)
            case _:
                self._link.send(Pdu(Command.GENERIC_NACK, Status.INVALID_COMMAND, pdu.sequence))
        return False

    async def _begin_delivery(self, pdu: Pdu) -> None:
        """Start a delivery once the window has room for it."""
        await self._window.acquire()
        while self._working and self._waiting_octets + len(pdu.body) > WAITING_OCTETS:
            await asyncio.wait(self._working, return_when=asyncio.FIRST_COMPLETED)
        task = asyncio.create_task(self._deliver(pdu))
        self._working[task] = len(pdu.body)
        self._waiting_octets += len(pdu.body)
        task.add_done_callback(self._done)
        metrics.WAITING.set(len(self._working))

    async def _deliver(self, pdu: Pdu) -> None:
        """Publish a delivery and answer it. If the connection has ended, it will come again."""
        reached: AnswerRead | None = None
        try:
            status, reached = await self._deliveries.take(pdu)
        except Exception as error:
            log.error(
                "the delivery of sequence number %d met a defect", pdu.sequence, exc_info=error
            )
            status = self._deliveries.answer_to_defect()
        try:
            self._link.send(smpp_pdu.answer_to(pdu, status, b"\0"))  # message_id is unused (4.6.2)
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
        """Send a request. The gateway's answer shows that it has read our earlier answers."""
        before = self._asked[1] if self._asked else []
        sequence = self._link.next_sequence()
        self._asked = (sequence, before + self._written)
        self._written = []
        self._answer.clear()
        self._link.send(Pdu(command, 0, sequence))

    async def _take_answer(self, pdu: Pdu) -> None:
        if self._asked is None or pdu.sequence != self._asked[0]:
            return
        (_, answers), self._asked = self._asked, None
        self._link.heard = asyncio.get_running_loop().time()
        self._answer.set()
        left = answers  # if this is cancelled, `unbind` reports all of them
        try:
            left = await self._deliveries.reached(pdu, answers)
        finally:
            self._written = left + self._written

    async def _enquire(self) -> None:
        """Send enquire_link while answers may be unread, and after a long silence."""
        while True:
            await asyncio.sleep(min(CONFIRM_SECONDS, self._enquire_seconds))
            if self._link.is_closing:  # unseen while the window is full
                raise Broken(CLOSED)
            silent = asyncio.get_running_loop().time() - self._link.heard
            if not self._written and silent < self._enquire_seconds:
                continue
            self._ask(Command.ENQUIRE_LINK)
            try:
                async with asyncio.timeout(self._enquire_seconds):
                    await self._answer.wait()
            except TimeoutError:
                raise Broken("the gateway does not answer enquire_link") from None
