"""One connection of an application by SMPP 3.4: its bind, and the deliver_sm sent to it.

We are the SMSC (G8.3.3). The session refuses what the application submits, because MTs are
requested by HTTP or Kafka.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Final

from pipeline.wire.smpp import bind as smpp_bind
from pipeline.wire.smpp import pdu as smpp_pdu
from pipeline.wire.smpp.pdu import ANSWER, Command, Framer, Pdu, Status

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import Callable

    from pipeline.wire.smpp.bind import Bind

log = logging.getLogger("twoway.deliver")

READ_OCTETS: Final = 64 * 1024
#: A bind has a few dozen octets, and an answer to deliver_sm hardly more than its header.
LONGEST_PDU: Final = 4 * 1024
BIND_SECONDS: Final = 30.0
#: An application that says nothing for so long is asked, and after as long again it is gone.
QUIET_SECONDS: Final = 60.0
SYSTEM_ID: Final = b"two-way\0"
_ALREADY_BOUND: Final = 0x05  # ESME_RALYBND
_BIND_FAILED: Final = 0x0D  # ESME_RBINDFAIL
_INVALID_PASSWORD: Final = 0x0E  # ESME_RINVPASWD


class EsmeSession:
    """One connection; `path` is the reply path that it is bound for, empty before the bind."""

    def __init__(
        self, reader: StreamReader, writer: StreamWriter, *, path_of: Callable[[Bind], str]
    ) -> None:
        """`path_of` returns the path of a bind, or an empty string if the login is wrong."""
        self._reader = reader
        self._writer = writer
        self._path_of = path_of
        self.path = ""
        self._sequence = 0
        self._awaited: dict[int, asyncio.Future[int]] = {}

    async def serve(self) -> None:
        """Serve until the connection ends or the application breaks the protocol."""
        framer = Framer(longest=LONGEST_PDU)
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(BIND_SECONDS) as until_bound:
                while octets := await self._next_octets(until_bound):
                    for each in framer.feed(octets):
                        pdu = smpp_pdu.parse(each)
                        if pdu is not None:
                            self._take(pdu)
                    if framer.fault:
                        break
                    await self._writer.drain()

    def close(self) -> None:
        """End the connection at once; calls that wait for an answer get none."""
        self.path = ""
        for awaited in self._awaited.values():
            if not awaited.done():
                awaited.cancel()
        self._writer.transport.abort()

    async def deliver(self, body: bytes, *, seconds: float) -> int | None:
        """Send a deliver_sm; return the status of the answer, None if the connection ended.

        Raises `TimeoutError`, and then ends the connection, so that no late answer is mistaken.
        """
        self._sequence = sequence = smpp_pdu.sequence_after(self._sequence)
        awaited: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._awaited[sequence] = awaited
        self._send(Pdu(Command.DELIVER_SM, Status.OK, sequence, body))
        try:
            async with asyncio.timeout(seconds):
                return await awaited
        except TimeoutError:
            self.close()
            raise
        except asyncio.CancelledError:
            if awaited.cancelled():
                return None
            raise
        finally:
            self._awaited.pop(sequence, None)

    async def _next_octets(self, until_bound: asyncio.Timeout) -> bytes:
        """Return the next octets; after a long silence send an enquire_link."""
        if not self.path:
            return await self._reader.read(READ_OCTETS)
        until_bound.reschedule(None)
        for is_last in (False, True):
            try:
                async with asyncio.timeout(QUIET_SECONDS):
                    return await self._reader.read(READ_OCTETS)
            except TimeoutError:
                if is_last:
                    raise
            self._sequence = smpp_pdu.sequence_after(self._sequence)
            self._send(Pdu(Command.ENQUIRE_LINK, Status.OK, self._sequence))
        return b""

    def _send(self, pdu: Pdu) -> None:
        if not self._writer.transport.is_closing():
            self._writer.write(smpp_pdu.render(pdu))

    def _take(self, pdu: Pdu) -> None:
        if pdu.command == Command.DELIVER_SM | ANSWER or pdu.command == Command.GENERIC_NACK:
            awaited = self._awaited.get(pdu.sequence)
            if awaited is not None and not awaited.done():
                awaited.set_result(pdu.status)
        elif pdu.is_answer:
            return
        elif pdu.command in (Command.BIND_RECEIVER, Command.BIND_TRANSCEIVER):
            self._bind(pdu)
        elif pdu.command == Command.BIND_TRANSMITTER:
            self._send(smpp_pdu.answer_to(pdu, _BIND_FAILED))
        elif pdu.command == Command.ENQUIRE_LINK:
            self._send(smpp_pdu.answer_to(pdu))
        elif pdu.command == Command.UNBIND:
            self.path = ""
            self._send(smpp_pdu.answer_to(pdu))
            self._writer.close()
        else:
            self._send(Pdu(Command.GENERIC_NACK, Status.INVALID_COMMAND, pdu.sequence))

    def _bind(self, pdu: Pdu) -> None:
        bind = smpp_bind.parse(pdu.body)
        if self.path:
            self._send(smpp_pdu.answer_to(pdu, _ALREADY_BOUND))
            return
        path = self._path_of(bind) if bind is not None else ""
        if not path:
            log.warning("an application was refused: its login is that of no reply path by smpp")
            self._send(smpp_pdu.answer_to(pdu, _INVALID_PASSWORD))
            self._writer.close()
            return
        self._send(smpp_pdu.answer_to(pdu, Status.OK, SYSTEM_ID))
        self.path = path
        log.info("%s: an application is bound", path)
