"""The SMPP API: accepts ESMEs, and sends them messages and receipts (SMPP 3.4)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from pipeline.gateway.doors.smpp_session import SmppSession
from pipeline.wire.smpp import deliver as smpp_deliver
from pipeline.wire.smpp import tlv as smpp_tlv
from pipeline.wire.smpp.callback import deliver_from_callback
from pipeline.wire.smpp.deliver import DeliverSm
from pipeline.wire.smpp.pdu import Status

if TYPE_CHECKING:
    from pipeline.gateway.ground import Ground
    from pipeline.gateway.messages import Message
    from pipeline.wire.callback import MoCallback

ANSWER_SECONDS: Final = 10.0
_RECEIPT: Final = 0x04  # esm_class of a delivery receipt (5.2.12)
_DELIVERED, _UNDELIVERABLE = 2, 5  # message_state (5.2.28)
_NOBODY: Final = (0, b"", b"nobody is bound")


class SmppServer:
    """A server for any number of ESMEs; the first one bound to receive gets every deliver_sm."""

    def __init__(self, gateway: Ground) -> None:
        self._gateway = gateway
        self._server: asyncio.Server | None = None
        self._secret_server: asyncio.Server | None = None
        self.port = 0
        self.tls_port = 0
        self.sessions: list[SmppSession] = []
        self._receipts: list[DeliverSm] = []  # they wait until an ESME is bound to receive

    async def start(self) -> None:
        """Listen on `port` and `tls_port`; raises `OSError` if a port is in use."""
        settings = self._gateway.settings
        self._server = await asyncio.start_server(
            self._connected, settings.host, settings.smpp_port
        )
        self.port = self._server.sockets[0].getsockname()[1]
        self._secret_server = await asyncio.start_server(
            self._connected,
            settings.host,
            settings.smpps_port,
            ssl=self._gateway.certificates.context(
                lambda: self._gateway.meets_wrong_certificate("smpp")
            ),
        )
        self.tls_port = self._secret_server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening, and end every connection."""
        for server in (self._server, self._secret_server):
            if server is not None:
                server.close()
        for session in list(self.sessions):
            session.close()

    async def deliver(self, callback: MoCallback) -> tuple[int, bytes, bytes]:
        """Send a part of a handset's message to an ESME.

        Returns 200 if the ESME took it, 503 if not, 0 without an answer; the octets sent; the
        answer in words.
        """
        deliver = deliver_from_callback(callback)
        session = self._receiver()
        if deliver is None or session is None:
            return _NOBODY
        octets = smpp_deliver.render(deliver)
        status = await session.request(octets, seconds=ANSWER_SECONDS)
        if status is None:
            return 0, octets, b"no answer"
        return (200 if status == Status.OK else 503), octets, f"status 0x{status:08X}".encode()

    async def receipt(self, message: Message, status: str) -> None:
        """Send the receipt of a message, or keep it until an ESME is bound to receive."""
        now = self._gateway.clock.now()
        is_delivered = status == "004"
        times = f"{message.at:%y%m%d%H%M} done date:{now:%y%m%d%H%M}"
        stat = "DELIVRD" if is_delivered else "UNDELIV"
        text = (
            f"id:{message.message_id} sub:001 dlvrd:00{int(is_delivered)} submit date:{times}"
            f" stat:{stat} err:{status} text:"
        )
        state = _DELIVERED if is_delivered else _UNDELIVERABLE
        self._receipts.append(
            DeliverSm(
                source=message.handset,
                destination=message.given_sender,
                esm_class=_RECEIPT,
                short_message=text.encode("ascii"),
                tlvs=(
                    smpp_tlv.Tlv(
                        smpp_tlv.RECEIPTED_MESSAGE_ID, message.message_id.encode() + b"\0"
                    ),
                    smpp_tlv.Tlv(smpp_tlv.MESSAGE_STATE, bytes((state,))),
                ),
            )
        )
        await self.flush()

    async def flush(self) -> None:
        """Send the receipts that wait; a refused receipt waits on."""
        waiting, self._receipts = self._receipts, []
        for at, deliver in enumerate(waiting):
            session = self._receiver()
            if session is None:
                self._receipts += waiting[at:]
                return
            octets = smpp_deliver.render(deliver)
            if await session.request(octets, seconds=ANSWER_SECONDS) != Status.OK:
                self._receipts.append(deliver)

    def _receiver(self) -> SmppSession | None:
        return next((session for session in self.sessions if session.receives), None)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = SmppSession(self._gateway, reader, writer, bound=self.flush)
        self.sessions.append(session)
        try:
            await session.serve()
        finally:
            self.sessions.remove(session)
            session.close()
