"""The gateway's SMPP: transmitters submit, and receivers get the receipts (SMPP 3.4)."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Final

from pipeline.wire.smpp import bind as smpp_bind
from pipeline.wire.smpp import deliver as smpp_deliver
from pipeline.wire.smpp import pdu as smpp_pdu
from pipeline.wire.smpp.deliver import DeliverSm
from pipeline.wire.smpp.pdu import Command, Framer, Pdu
from tests.chaos.sending.gateway.till import Message

if TYPE_CHECKING:
    from tests.chaos.sending.gateway.till import Fate, Till

THROTTLED: Final = 0x58
WRONG: Final = 0x0B  # ESME_RINVDSTADR
RECEIPT: Final = 0x04  # esm_class
TOLD: Final = 0.6


class Smsc:
    """An SMSC for any number of binds."""

    def __init__(self, *, seed: int) -> None:
        self.till: Till
        self._rng = random.Random(seed)
        self._loop = asyncio.get_running_loop()
        self._receivers: list[asyncio.StreamWriter] = []
        self._sequence = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        framer = Framer()
        try:
            while octets := await reader.read(65536):
                for each in framer.feed(octets):
                    pdu = smpp_pdu.parse(each)
                    if pdu is not None:
                        self._do(pdu, writer)
        except ConnectionError:
            return
        finally:
            if writer in self._receivers:
                self._receivers.remove(writer)
            writer.close()

    def _do(self, pdu: Pdu, writer: asyncio.StreamWriter) -> None:
        match pdu.command:
            case Command.BIND_TRANSMITTER | Command.BIND_RECEIVER | Command.BIND_TRANSCEIVER:
                assert smpp_bind.parse(pdu.body) is not None
                if pdu.command != Command.BIND_TRANSMITTER:
                    self._receivers.append(writer)
                _answer(writer, pdu, b"smsc\0")
            case Command.SUBMIT_SM:
                self._start(self._submit(pdu, writer))
            case Command.ENQUIRE_LINK | Command.UNBIND:
                _answer(writer, pdu)

    async def _submit(self, pdu: Pdu, writer: asyncio.StreamWriter) -> None:
        submit = smpp_deliver.parse(pdu.body)
        assert submit is not None
        fate = self.till.receive(message_from_submit(submit))
        await asyncio.sleep(fate.seconds)
        match fate.name:
            case "lost" if fate.is_silent:
                return
            case "lost":
                writer.transport.abort()
            case "throttled":
                _answer(writer, pdu, status=THROTTLED)
            case "refused":
                _answer(writer, pdu, status=WRONG)
            case _:
                _answer(writer, pdu, fate.gateway_id.encode() + b"\0")

    def tell(self, message: Message, fate: Fate) -> None:
        """Send receipts, some twice, some before the answer."""
        if self._rng.random() < TOLD:
            self._start(self._tell(message, fate))

    async def _tell(self, message: Message, fate: Fate) -> None:
        await asyncio.sleep(0.0 if fate.before_answer else fate.seconds + 0.3)
        for _ in range(self._rng.choice((1, 2))):
            if not self._receivers:
                return
            words = f"id:{fate.gateway_id} sub:001 dlvrd:001 stat:DELIVRD err:000 text:"
            receipt = DeliverSm(
                source=message.handset,
                destination=message.sender_id,
                esm_class=RECEIPT,
                short_message=words.encode(),
            )
            self._sequence += 1
            pdu = Pdu(Command.DELIVER_SM, 0, self._sequence, smpp_deliver.render(receipt))
            self._rng.choice(self._receivers).write(smpp_pdu.render(pdu))

    def _start(self, work: object) -> None:
        task = self._loop.create_task(work)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def message_from_submit(submit: DeliverSm) -> Message:
    """A part, without its header of 6 octets; data_coding 0 is ISO-8859-1 here."""
    octets, part, parts, reference = submit.short_message, 1, 1, 0
    if submit.esm_class & 0x40:
        assert octets[:3] == b"\x05\x00\x03"
        reference, parts, part = octets[3:6]
        octets = octets[6:]
    codec = "utf-16-be" if submit.data_coding == 8 else "latin-1"
    return Message(
        way="smpp",
        handset=submit.destination,
        sender_id=submit.source,
        text=octets.decode(codec),
        part=part,
        parts=parts,
        reference=reference,
    )


def _answer(writer: asyncio.StreamWriter, pdu: Pdu, body: bytes = b"", *, status: int = 0) -> None:
    answer = Pdu(pdu.command | smpp_pdu.ANSWER, status, pdu.sequence, b"" if status else body)
    if not writer.is_closing():
        writer.write(smpp_pdu.render(answer))
