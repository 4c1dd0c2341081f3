"""PDUs over one connection: what is sent, what arrives, and whether the gateway is heard."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from pipeline.wire.smpp import pdu as smpp_pdu
from pipeline.wire.smpp.pdu import Command, Framer, Pdu, Status

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

log = logging.getLogger("twoway.smpp")

READ_OCTETS: Final = 256 * 1024
CLOSED: Final = "the gateway closed the connection"


class Broken(Exception):
    """The connection ended or makes no sense; the words say how."""


class PduConnection:
    """Sends and reads PDUs; knows no rule of a bind."""

    def __init__(self, reader: StreamReader, writer: StreamWriter, *, flush_seconds: float) -> None:
        self._reader = reader
        self._writer = writer
        self._flush_seconds = flush_seconds
        self._framer = Framer()
        self._early: list[Pdu] = []  # came in the same piece as the answer to the bind
        self._sequence = 0  # of the last request of ours
        self._heard = asyncio.get_running_loop().time()

    @property
    def is_closing(self) -> bool:
        """Whether the connection has ended or is about to."""
        return self._writer.transport.is_closing()

    @property
    def silent_seconds(self) -> float:
        """How long no PDU has arrived."""
        return asyncio.get_running_loop().time() - self._heard

    def next_sequence(self) -> int:
        """The sequence number of the next request of ours."""
        self._sequence = smpp_pdu.sequence_after(self._sequence)
        return self._sequence

    def send(self, pdu: Pdu) -> None:
        """Raises `Broken` once the connection has ended: uvloop has a `RuntimeError` for that."""
        if self._writer.transport.is_closing():
            raise Broken(CLOSED)
        try:
            self._writer.write(smpp_pdu.render(pdu))
        except RuntimeError as error:
            raise Broken(CLOSED) from error

    async def flush(self) -> None:
        """Hand over what was sent, before the connection is ended."""
        try:
            self._writer.transport.set_write_buffer_limits(0)
            async with asyncio.timeout(self._flush_seconds):
                await self._writer.drain()
        except (TimeoutError, OSError, RuntimeError) as error:
            log.debug("the gateway did not take the last octets: %s", error or "in time")

    async def read(self) -> list[Pdu]:
        """The PDUs of what arrives next; raises `Broken` once the connection has ended."""
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
        if found:  # an octet a second is no sign of life
            self._heard = asyncio.get_running_loop().time()
        return found

    def read_again(self, pdus: list[Pdu]) -> None:
        """Let the next `read` give these, which came together with what was waited for."""
        self._early = pdus

    async def drain(self) -> None:
        """Wait until the gateway takes more."""
        await self._writer.drain()

    def abort(self) -> None:
        """End the connection at once."""
        self._writer.transport.abort()
