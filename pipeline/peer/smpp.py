"""PDUs over one connection to an SMSC: the part that receiving and sending share."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from pipeline.wire.smpp import bind as smpp_bind
from pipeline.wire.smpp import pdu as smpp_pdu
from pipeline.wire.smpp.pdu import Command, Framer, Pdu, Status

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

    from pipeline.wire.smpp.bind import Bind

log = logging.getLogger("twoway.smpp")

BIND_SECONDS: Final = 30.0
UNBIND_SECONDS: Final = 3.0
READ_OCTETS: Final = 256 * 1024

CLOSED: Final = "the gateway closed the connection"
#: Refused binds in a row after which one is tried rarely, for whoever mends the password at the
#: gateway: below the ten after which Clickatell blocks the address for a minute.
BIND_REFUSALS: Final = 5
BIND_REFUSED_SECONDS: Final = 300.0
#: ESME_RBINDFAIL, RINVPASWD, RINVSYSID, RINVSYSTYP (SMPP 3.4 5.1.3): trying again changes nothing.
REFUSED_FOR_GOOD: Final = frozenset({0x0D, 0x0E, 0x0F, 0x53})


class BindRefused(Exception):
    """The gateway refused the bind; `status` is its reason."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the gateway refused the bind with status 0x{status:08X}")
        self.status = status


class Broken(Exception):
    """The connection ended, or its octets are invalid; the words say how."""


class Link:
    """Sends and reads PDUs, and binds; its user says what the PDUs mean."""

    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._framer = Framer()
        self._early: list[Pdu] = []  # came in the same piece as the answer to the bind
        self._sequence = 0  # of the last request of ours
        self.heard = asyncio.get_running_loop().time()
        """When the last request came, or the last answer to a question of ours."""

    @property
    def is_closing(self) -> bool:
        """Whether the connection has ended, or is about to."""
        return self._writer.transport.is_closing()

    def next_sequence(self) -> int:
        """The number of the next request."""
        self._sequence = smpp_pdu.sequence_after(self._sequence)
        return self._sequence

    def send(self, pdu: Pdu) -> None:
        """Raises `Broken` once the connection has ended: uvloop has a `RuntimeError` for that."""
        if self.is_closing:
            raise Broken(CLOSED)
        try:
            self._writer.write(smpp_pdu.render(pdu))
        except RuntimeError as error:
            raise Broken(CLOSED) from error

    async def drained(self) -> None:
        """Wait until there is room for more; raises `OSError`."""
        await self._writer.drain()

    async def emptied(self) -> None:
        """Wait until the operating system has every octet; raises `OSError`.

        Then the next PDU does not wait behind octets that the gateway does not read.
        """
        transport = self._writer.transport
        transport.set_write_buffer_limits(0)
        while transport.get_write_buffer_size():
            await self._writer.drain()

    async def flush(self) -> None:
        """Hand over the sent octets, before the connection is ended."""
        try:
            async with asyncio.timeout(UNBIND_SECONDS):
                await self.emptied()
        except (TimeoutError, OSError, RuntimeError) as error:
            log.debug("the gateway did not take the last octets: %s", error or "in time")

    async def read(self) -> list[Pdu]:
        """The PDUs that have come, possibly none; raises `Broken` or `OSError`."""
        if self._early:
            early, self._early = self._early, []
            return early
        if self._framer.fault:
            self.send(Pdu(Command.GENERIC_NACK, Status.INVALID_COMMAND_LENGTH, 0))  # 4.3.1
            await self.flush()
            raise Broken(self._framer.fault)
        octets = await self._reader.read(READ_OCTETS)
        if not octets:
            raise Broken(CLOSED)
        found = [pdu for each in self._framer.feed(octets) if (pdu := smpp_pdu.parse(each))]
        # Octets without a whole PDU are no sign of life, nor is an answer that nobody asked for.
        if any(not pdu.is_answer for pdu in found):
            self.heard = asyncio.get_running_loop().time()
        return found

    async def bind(self, command: Command, bind: Bind) -> None:
        """Bind; raises `BindRefused`, `Broken`, `OSError` or `TimeoutError`."""
        sequence = self.next_sequence()
        self.send(Pdu(command, 0, sequence, smpp_bind.render(bind)))
        async with asyncio.timeout(BIND_SECONDS):
            while True:
                found = await self.read()
                for at, pdu in enumerate(found, 1):
                    if pdu.sequence == sequence and pdu.is_answer:
                        self._early = found[at:]
                        if pdu.status != Status.OK:
                            raise BindRefused(pdu.status)
                        if pdu.command != smpp_pdu.ANSWER | command:
                            raise Broken("the answer to the bind is of another command")
                        return

    def abort(self) -> None:
        """End the connection at once."""
        self._writer.transport.abort()
