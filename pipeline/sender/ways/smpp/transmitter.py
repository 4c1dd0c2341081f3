"""One bind that sends, from its first PDU to its last (SMPP 3.4)."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from pipeline.peer.smpp import UNBIND_SECONDS, Broken
from pipeline.process.peer_words import words_of_error
from pipeline.sender.way import PermitEnded
from pipeline.wire.smpp import pdu as smpp_pdu
from pipeline.wire.smpp.pdu import DELIVERIES, Command, Pdu, Status

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Callable

    from pipeline.peer.smpp import Link

log = logging.getLogger("twoway.sender.smpp")

ENQUIRE_SECONDS: Final = 60.0  # as Clickatell advises; it ends a bind that is silent for 300 s
ENQUIRE_ANSWER_SECONDS: Final = 30.0


class NotWritten(Exception):
    """No octet of the PDU was written; the message says why."""


class SubmissionUnanswered(Exception):
    """The PDU was written; it is not known whether it was taken."""


class Transmitter:
    """Sends requests within a window, and matches answers by sequence number."""

    def __init__(self, link: Link, *, window: int) -> None:
        self._link = link
        self._window = asyncio.Semaphore(window)
        self._waiting: dict[int, tuple[int, Future[Pdu]]] = {}  # with the answer's command
        self._is_delivery_said = False
        self.ended = ""
        """Why the bind has ended; empty while it is up."""
        self._running = asyncio.create_task(self._run())

    async def submit_part(self, body: bytes, *, may_go: Callable[[], bool], deadline: float) -> Pdu:
        """Send a submit_sm; return the answer.

        Raises `NotWritten`, `SubmissionUnanswered` or `PermitEnded`. `deadline` is a time of the
        event loop. Nothing happens between `may_go` and the write, and no earlier octets wait to be
        written: the permit is checked at the moment at which the PDU leaves.
        """
        try:
            async with asyncio.timeout_at(deadline):
                await self._window.acquire()
        except TimeoutError:
            raise NotWritten("the gateway leaves too many submissions unanswered") from None
        try:
            await self._may_write(deadline)
            if not may_go():
                raise PermitEnded
            try:
                future = self._ask(Command.SUBMIT_SM, body)
            except Broken as broken:
                raise NotWritten(str(broken)) from broken
            return await self._answered(future, deadline)
        finally:
            self._window.release()

    async def enquire(self, *, deadline: float) -> None:
        """Send an enquire_link, and wait for the answer; raises `Broken`."""
        try:
            async with asyncio.timeout_at(deadline):
                await self._ask(Command.ENQUIRE_LINK)
        except TimeoutError:
            raise Broken("the gateway does not answer enquire_link") from None

    async def close(self) -> None:
        """Unbind, or end the bind if the gateway does not answer."""
        if not self.ended:
            with suppress(TimeoutError, Broken):
                async with asyncio.timeout(UNBIND_SECONDS):
                    await self._ask(Command.UNBIND)
        self.end_bind("unbound")
        await asyncio.wait([self._running])

    def end_bind(self, words: str) -> None:
        """End the bind; requests that wait for an answer get none."""
        self.ended = self.ended or words
        for _, future in self._waiting.values():
            if not future.done():
                future.set_exception(Broken(words))
        self._waiting.clear()
        if asyncio.current_task() is not self._running:
            self._running.cancel()
        self._link.abort()

    async def _may_write(self, deadline: float) -> None:
        try:
            async with asyncio.timeout_at(deadline):
                await self._link.emptied()
        except TimeoutError:
            raise NotWritten("the gateway does not read") from None
        except OSError as error:
            raise NotWritten(words_of_error(error)) from error
        if self.ended:
            raise NotWritten(self.ended)

    def _ask(self, command: Command, body: bytes = b"") -> Future[Pdu]:
        """Send a request; return a future of the answer, which fails with `Broken`."""
        sequence = self._link.next_sequence()
        self._link.send(Pdu(command, 0, sequence, body))
        future: Future[Pdu] = asyncio.get_running_loop().create_future()
        self._waiting[sequence] = (command | smpp_pdu.ANSWER, future)
        future.add_done_callback(lambda _: self._waiting.pop(sequence, None))
        return future

    async def _answered(self, future: Future[Pdu], deadline: float) -> Pdu:
        try:
            async with asyncio.timeout_at(deadline):
                return await future
        except TimeoutError:
            raise SubmissionUnanswered("the gateway did not answer in time") from None
        except Broken as broken:
            raise SubmissionUnanswered(str(broken)) from broken

    async def _run(self) -> None:
        """Read PDUs and send enquire_links until either finds that the bind has ended."""
        tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._enquire())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            found = next(task for task in tasks if task.done()).exception()
            if found is not None and not isinstance(found, OSError | Broken):
                log.error("a bind met a defect", exc_info=found)
            self.end_bind(words_of_error(found) if found else "the gateway has unbound")
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self) -> None:
        while True:
            for pdu in await self._link.read():
                if await self._take(pdu):
                    return
            await self._link.drained()

    async def _take(self, pdu: Pdu) -> bool:
        """Process a PDU from the gateway; return whether it ended the bind."""
        match pdu.command:
            case Command.ENQUIRE_LINK:
                self._link.send(smpp_pdu.answer_to(pdu))
            case Command.UNBIND:
                self._link.send(smpp_pdu.answer_to(pdu))
                await self._link.flush()
                return True
            case Command.ALERT_NOTIFICATION:  # has no answer (SMPP 3.4 4.12)
                pass
            case _ if pdu.is_answer:
                self._take_answer(pdu)
            case _ if pdu.command in DELIVERIES:
                self._refuse_delivery(pdu)
            case _:
                self._link.send(Pdu(Command.GENERIC_NACK, Status.INVALID_COMMAND, pdu.sequence))
        return False

    def _take_answer(self, pdu: Pdu) -> None:
        command, future = self._waiting.get(pdu.sequence, (0, None))
        if future is None:
            if pdu.command == Command.GENERIC_NACK:  # of a PDU that it could not read (4.3)
                raise Broken("the gateway does not understand a PDU")
            log.info("the gateway answers what was not asked, or too late")
        elif pdu.command not in (command, Command.GENERIC_NACK):
            raise Broken("an answer is of another command")
        elif pdu.command == Command.GENERIC_NACK and pdu.status == Status.OK:
            raise Broken("a generic_nack says that all is well")
        elif not future.done():
            future.set_result(pdu)

    def _refuse_delivery(self, pdu: Pdu) -> None:
        """Refuse a deliver_sm, which only receivers take (SMPP 3.4 2.2); the gateway keeps it."""
        self._link.send(smpp_pdu.answer_to(pdu, Status.INVALID_BIND_STATUS, b"\0"))
        if not self._is_delivery_said:
            log.warning("the gateway delivers to a transmitter: refused, the receiver takes them")
            self._is_delivery_said = True

    async def _enquire(self) -> None:
        while True:
            await asyncio.sleep(ENQUIRE_SECONDS)
            now = asyncio.get_running_loop().time()
            await self.enquire(deadline=now + ENQUIRE_ANSWER_SECONDS)
