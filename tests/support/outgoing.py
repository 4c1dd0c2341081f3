"""The records of senders and the gateway about commands, for a partition without Kafka."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

from pipeline.avro import single_object
from pipeline.engine.state.tables import time_from_due
from pipeline.identity import derived_id
from pipeline.kafka import topics
from pipeline.records import (
    AskKind,
    MoRaw,
    MtAsk,
    MtCommand,
    MtRejection,
    MtResult,
    MtState,
    Source,
)
from pipeline.wire.smpp import deliver as smpp_deliver
from pipeline.wire.smpp import pdu as smpp_pdu
from pipeline.wire.smpp.deliver import DeliverSm
from tests.support.partition import HANDSET, NUMBER, NUMBERS, Partition

NEVER: Final = datetime.max.replace(tzinfo=UTC)


class Outgoing(Partition):
    """A partition with the number directory, and senders that talk to it."""

    def __init__(self) -> None:
        super().__init__()
        self._decoded: dict[str, list] = {}
        self._read = 0
        self.take(topics.NUMBERS, single_object.encode(NUMBERS))

    def written(self, topic: str) -> list:
        """The records of a topic so far, each decoded once."""
        for name, _, _, value in self.outputs[self._read :]:
            self._decoded.setdefault(name, []).append(single_object.decode(value))
        self._read = len(self.outputs)
        return self._decoded.get(topic, [])

    def ask(
        self,
        command: MtCommand,
        attempt: int = 1,
        *,
        holder: str = "a",
        kind: AskKind = AskKind.ASK,
    ) -> MtState:
        """Ask for an attempt, or withdraw it; return the worker's last state of the command."""
        ask = MtAsk(
            ask_id=derived_id("ask", command.command_id, holder, str(attempt), kind),
            kind=kind.value,
            command_id=command.command_id,
            handset=command.handset,
            sender_id=command.sender_id,
            attempt=attempt,
            holder=holder,
            at=self.now,
        )
        self.take(topics.MT_ASK, single_object.encode(ask), HANDSET.encode())
        return self.state_of(command)

    def result(self, command: MtCommand, outcome: str, *, attempt: int = 1, **fields) -> MtState:
        """Write the result of an attempt."""
        given = {
            "result_id": f"{command.command_id}/{attempt}/{outcome}",
            "command_id": command.command_id,
            "request_id": command.request_id,
            "handset": command.handset,
            "outcome": outcome,
            "final": False,
            "gateway_message_id": "",
            "code": "",
            "words": "",
            "attempt": attempt,
            "at": self.now,
            "holder": "a",
        }
        result = MtResult(**(given | fields))
        self.take(topics.MT_RESULT, single_object.encode(result), HANDSET.encode())
        return self.state_of(command)

    def callback(
        self,
        command: MtCommand,
        status: str,
        *,
        gateway_id: str = "f" * 32,
        charge: str = "0.300000",
    ) -> MtState:
        """The gateway's status callback by HTTP."""
        query = urlencode(
            {
                "api_id": "1",
                "apiMsgId": gateway_id,
                "cliMsgId": command.command_id,
                "timestamp": int(self.now.timestamp()),
                "to": command.handset,
                "from": command.sender_id,
                "status": status,
                "charge": charge,
            }
        )
        raw = MoRaw(
            source=Source.STATUS_HTTP,
            received_at=self.now,
            method="GET",
            content_type="",
            query=query.encode(),
            octets=b"",
        )
        self.take(topics.MO_RAW, single_object.encode(raw), HANDSET.encode())
        return self.state_of(command)

    def receipt(self, gateway_id: str, state: str) -> None:
        """A delivery receipt by SMPP."""
        text = f"id:{gateway_id} sub:001 dlvrd:001 stat:{state} err:000 text:"
        receipt = DeliverSm(
            source=HANDSET, destination=NUMBER, esm_class=4, short_message=text.encode()
        )
        raw = MoRaw(
            source=Source.SMPP,
            received_at=self.now,
            method="",
            content_type="",
            query=b"",
            octets=smpp_pdu.render(
                smpp_pdu.Pdu(smpp_pdu.Command.DELIVER_SM, 0, 1, smpp_deliver.render(receipt))
            ),
        )
        self.take(topics.MO_RAW, single_object.encode(raw), HANDSET.encode())

    def command(self, request_id: str = "r1", text: str = "hi") -> MtCommand:
        """Request an MT; return its command."""
        self.request(request_id, text)
        return self.commands[-1]

    def pass_time(self, to: datetime) -> None:
        """Set the broker's time and the partition's."""
        self.now = to
        self.tick(to)

    def first_due(self) -> datetime:
        """When the first row of the partition is due; `NEVER` for none."""
        first = self.state.first_due()
        return NEVER if first is None else time_from_due(first)

    @property
    def commands(self) -> list[MtCommand]:
        """Every command so far."""
        return self.written(topics.MT_COMMAND)

    @property
    def rejections(self) -> list[MtRejection]:
        """Every rejection so far."""
        return self.written(topics.MT_REJECTION)

    def states_of(self, command: MtCommand) -> list[MtState]:
        """All states of a command."""
        said: list[MtState] = self.written(topics.MT_STATE)
        return [state for state in said if state.command_id == command.command_id]

    def state_of(self, command: MtCommand) -> MtState:
        """The last state of a command."""
        return self.states_of(command)[-1]
