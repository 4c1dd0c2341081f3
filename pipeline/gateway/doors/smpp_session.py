"""One connection of an ESME: its bind, its submissions, and the deliveries to it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from pipeline.gateway.doors.lying import CUT, HUGE, NOT_TAKEN, SLOW_SECONDS
from pipeline.gateway.faults.kinds import Group
from pipeline.gateway.refusal import Refusal
from pipeline.sms.charset import GSM_7, text_from_octets
from pipeline.wire.smpp import bind as smpp_bind
from pipeline.wire.smpp import pdu as smpp_pdu
from pipeline.wire.smpp.callback import deliver_from_pdu, header_and_text
from pipeline.wire.smpp.coding import charset_from_data_coding
from pipeline.wire.smpp.deliver import DeliverSm
from pipeline.wire.smpp.pdu import ANSWER, Command, Framer, Pdu, Status

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import Awaitable, Callable

    from pipeline.gateway.faults.rules import Rule
    from pipeline.gateway.ground import Ground

READ_OCTETS: Final = 64 * 1024
SYSTEM_ID: Final = b"stand-in\0"
_BINDS: Final = frozenset(
    {Command.BIND_RECEIVER, Command.BIND_TRANSMITTER, Command.BIND_TRANSCEIVER}
)
_SUBMITS: Final = frozenset({Command.SUBMIT_SM, Command.DATA_SM})
#: The command_status for an error code (SMPP 3.4 5.1.3); for any other, ESME_RSUBMITFAIL.
_STATUSES: Final = {
    "105": 0x0B,  # ESME_RINVDSTADR
    "106": 0x0A,  # ESME_RINVSRCADR
    "107": 0x01,  # ESME_RINVMSGLEN
    "130": Status.THROTTLED,
    "901": Status.SYSTEM_ERROR,
}
_SUBMIT_FAILED: Final = 0x45
_INVALID_PASSWORD: Final = 0x0E
_INVALID_SYSTEM_TYPE: Final = 0x53


class SmppSession:
    """The connection of one ESME; `bound` is called when the ESME is bound to receive."""

    def __init__(
        self,
        gateway: Ground,
        reader: StreamReader,
        writer: StreamWriter,
        *,
        bound: Callable[[], Awaitable[None]],
    ) -> None:
        self._gateway = gateway
        self._reader = reader
        self._writer = writer
        self._is_bound = bound
        self._command = 0
        self._api_id = ""
        self._sequence = 0
        self._awaited: dict[int, asyncio.Future[int]] = {}
        self._tasks: set[asyncio.Future[None]] = set()

    @property
    def receives(self) -> bool:
        """Whether the ESME is bound as receiver or transceiver, and so takes deliver_sm."""
        return self._command in (Command.BIND_RECEIVER, Command.BIND_TRANSCEIVER)

    async def serve(self) -> None:
        """Serve until the connection ends."""
        framer = Framer()
        with contextlib.suppress(ConnectionError):
            while octets := await self._reader.read(READ_OCTETS):
                for each in framer.feed(octets):
                    pdu = smpp_pdu.parse(each)
                    if pdu is not None:
                        self._take(pdu, each)
                if framer.fault:
                    break
                await self._writer.drain()

    def close(self) -> None:
        """End the connection at once."""
        self._command = 0
        for awaited in self._awaited.values():
            awaited.cancel()
        for task in self._tasks:
            task.cancel()
        self._writer.transport.abort()

    async def request(self, body: bytes, *, seconds: float) -> int | None:
        """Send a deliver_sm; return the command_status of the answer, None if none came."""
        self._sequence = smpp_pdu.sequence_after(self._sequence)
        awaited: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._awaited[self._sequence] = awaited
        sequence = self._sequence
        self._send(Pdu(Command.DELIVER_SM, Status.OK, sequence, body))
        try:
            async with asyncio.timeout(seconds):
                return await awaited
        except TimeoutError:
            return None
        except asyncio.CancelledError:
            if awaited.cancelled():
                return None
            raise
        finally:
            self._awaited.pop(sequence, None)

    def _send(self, pdu: Pdu) -> None:
        if not self._writer.transport.is_closing():
            self._writer.write(smpp_pdu.render(pdu))

    def _take(self, pdu: Pdu, octets: bytes) -> None:
        if pdu.command == Command.DELIVER_SM | ANSWER:
            awaited = self._awaited.get(pdu.sequence)
            if awaited is not None and not awaited.done():
                awaited.set_result(pdu.status)
        elif pdu.is_answer:
            return
        elif pdu.command in _BINDS:
            self._bind(pdu)
        elif pdu.command in _SUBMITS:
            self._submit(pdu, octets)
        elif pdu.command == Command.ENQUIRE_LINK:
            self._send(smpp_pdu.answer_to(pdu))
        elif pdu.command == Command.UNBIND:
            self._command = 0
            self._send(smpp_pdu.answer_to(pdu))
            self._writer.close()
        else:
            self._send(Pdu(Command.GENERIC_NACK, Status.INVALID_COMMAND, pdu.sequence))

    def _bind(self, pdu: Pdu) -> None:
        bind = smpp_bind.parse(pdu.body)
        status = _INVALID_PASSWORD
        if bind is not None and not self._command:
            given = {"api_id": bind.system_type, "user": bind.system_id, "password": bind.password}
            try:
                self._api_id = self._gateway.account.api_of(given)
                status = Status.OK
            except Refusal as refusal:
                status = _INVALID_SYSTEM_TYPE if refusal.code == "108" else _INVALID_PASSWORD
        elif self._command:
            status = 0x05  # ESME_RALYBND
        self._send(smpp_pdu.answer_to(pdu, status, SYSTEM_ID if status == Status.OK else b""))
        if status == Status.OK:
            self._command = pdu.command
            if self.receives:
                self._keep(asyncio.ensure_future(self._is_bound()))

    def _submit(self, pdu: Pdu, octets: bytes) -> None:
        if self._command not in (Command.BIND_TRANSMITTER, Command.BIND_TRANSCEIVER):
            self._send(smpp_pdu.answer_to(pdu, Status.INVALID_BIND_STATUS))
            return
        submit = deliver_from_pdu(pdu)
        if not isinstance(submit, DeliverSm):
            self._send(smpp_pdu.answer_to(pdu, Status.INVALID_COMMAND_LENGTH))
            return
        gateway, handset = self._gateway, submit.destination
        rule = gateway.meet(Group.ANSWER, "smpp", handset)
        if rule is not None and rule.name in NOT_TAKEN:
            if rule.name == "busy":
                self._send(smpp_pdu.answer_to(pdu, Status.QUEUE_FULL))
            else:
                self._writer.transport.abort()
            return
        (result,) = gateway.desk.send("smpp", self._api_id, _given(submit), received=octets)
        if result.message is not None:
            body = result.message.message_id.encode() + b"\0"
            answer = smpp_pdu.answer_to(pdu, body=body)
        else:
            code = result.refusal.code if result.refusal else ""
            answer = smpp_pdu.answer_to(pdu, _STATUSES.get(code, _SUBMIT_FAILED))
        if rule is not None:
            self._lie(rule, answer)
            return
        gateway.world.answer(octets, smpp_pdu.render(answer))
        self._send(answer)

    def _lie(self, rule: Rule, answer: Pdu) -> None:
        """Send the answer as the fault changes it."""
        octets, transport = smpp_pdu.render(answer), self._writer.transport
        match rule.name:
            case "lose-answer":
                transport.abort()
            case "cut-answer":
                self._writer.write(octets[: CUT if rule.octets is None else rule.octets])
                self._writer.close()
            case "huge":
                length = HUGE if rule.octets is None else max(rule.octets, len(octets))
                rest = octets[4:] + b"x" * (length - len(octets))
                self._writer.write(length.to_bytes(4, "big") + rest)
            case "hang":
                pause = self._gateway.settings.hang_seconds
                pause = pause if rule.seconds is None else rule.seconds
                asyncio.get_running_loop().call_later(pause, transport.abort)
            case "slow":
                pause = SLOW_SECONDS if rule.seconds is None else rule.seconds
                self._keep(asyncio.ensure_future(self._trickle(octets, pause)))

    async def _trickle(self, octets: bytes, pause: float) -> None:
        for octet in octets:
            await asyncio.sleep(pause)
            if self._writer.transport.is_closing():
                return
            self._writer.write(bytes((octet,)))

    def _keep(self, task: asyncio.Future[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _given(submit: DeliverSm) -> dict[str, str]:
    """Convert a submit_sm to the parameters of sendmsg; by SMPP `mo` is always 1 (guide 8.1)."""
    udh, octets = header_and_text(submit)
    charset, _ = charset_from_data_coding(submit.data_coding, alphabet="gsm7")
    text, _ = text_from_octets(octets, charset or GSM_7)
    return {
        "to": submit.destination,
        "from": submit.source,
        "text": text,
        "udh": udh.hex(),
        "mo": "1",
        "concat": "3",
        "callback": "3" if submit.registered_delivery & 3 else "0",
    }
