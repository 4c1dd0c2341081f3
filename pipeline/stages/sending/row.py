"""The rows of the outbox: a handset's open commands, and the commands that were sent lately.

An open command waits, is permitted, or is unknown. When the gateway has taken or refused it, a row
of its own is kept for a week, so that late statuses find it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from pipeline.records import CommandState, MtCommand
from pipeline.wire.smpp.receipt import keys_of_message_id

#: Open commands of one handset; one more is refused (`too-many-open`).
OPEN_AT_MOST: Final = 200
#: The same, if the command follows a stop.
OPEN_AT_MOST_CONFIRMING: Final = OPEN_AT_MOST + 64
#: How long a sent command is kept: the gateway sends statuses for days (OVR: +3 days).
SENT_KEPT: Final = timedelta(days=7)


class OpenCommand(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A command that is open: waiting, permitted or unknown.

    `ids` are the gateway's ids in the order of the parts, empty for a part without one; `asked`
    counts how often the gateway was asked what became of it.
    """

    command_id: str
    request_id: str
    sender_id: str
    purpose: str
    handset: str
    mo_message_id: str
    scopes: list[tuple[str, str]]
    not_after: datetime
    parts_total: int
    state: str = CommandState.WAITING.value
    attempt: int = 0
    failures: int = 0  # temporary ones so far
    holder: str = ""
    until: datetime | None = None
    retry_at: datetime | None = None
    ids: list[str] = []
    asked: int = 0
    ask_at: datetime | None = None
    consent_asked_at: datetime | None = None
    code: str = ""
    words: str = ""
    account: str = ""  # empty in a row of an earlier release


class Outbox(msgspec.Struct, frozen=True, array_like=True):
    """The open commands of one handset, the oldest first."""

    commands: list[OpenCommand] = []


class SentCommand(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A command that is no longer open. `statuses` are the last ones, in the order of the parts."""

    command_id: str
    request_id: str
    handset: str
    sender_id: str
    state: str
    attempt: int
    ids: list[str] = []
    statuses: list[str] = []
    code: str = ""
    words: str = ""
    charge: str = ""
    charge_units: int = 0
    parts_total: int = 1
    consent_asked_at: datetime | None = None
    account: str = ""  # empty in a row of an earlier release


class HeardStatus(msgspec.Struct, frozen=True, array_like=True):
    """A status from the gateway: 3 digits, the id that it is about, and the charge."""

    gateway_message_id: str
    status: str
    words: str
    charge: str = ""
    charge_units: int = 0


def open_command(command: MtCommand) -> OpenCommand:
    """The row of a command that was just decided."""
    return OpenCommand(
        command_id=command.command_id,
        request_id=command.request_id,
        sender_id=command.sender_id,
        purpose=command.purpose,
        handset=command.handset,
        mo_message_id=command.mo_message_id,
        scopes=[(scope.scope_kind, scope.scope) for scope in command.scopes],
        not_after=command.not_after,
        parts_total=command.parts,
        account=command.account,
    )


def sent_from_open(command: OpenCommand, state: CommandState, *, ids: list[str]) -> SentCommand:
    """The row of a command that is no longer open; `ids` are the gateway's, by part."""
    return SentCommand(
        command_id=command.command_id,
        request_id=command.request_id,
        handset=command.handset,
        sender_id=command.sender_id,
        state=state.value,
        attempt=command.attempt,
        ids=ids,
        parts_total=command.parts_total,
        consent_asked_at=command.consent_asked_at,
        account=command.account,
    )


_ENCODER: Final = msgspec.msgpack.Encoder()
_OUTBOX: Final = msgspec.msgpack.Decoder(Outbox)
_SENT: Final = msgspec.msgpack.Decoder(SentCommand)
_STATUS: Final = msgspec.msgpack.Decoder(HeardStatus)


def encode_outbox(row: Outbox) -> bytes:
    """The row as it is stored."""
    return _ENCODER.encode(row)


def decode_outbox(octets: bytes) -> Outbox:
    """The row that `encode_outbox` wrote; raises `msgspec.DecodeError`."""
    return _OUTBOX.decode(octets)


def encode_sent(row: SentCommand) -> bytes:
    """The row as it is stored."""
    return _ENCODER.encode(row)


def decode_sent(octets: bytes) -> SentCommand:
    """The row that `encode_sent` wrote; raises `msgspec.DecodeError`."""
    return _SENT.decode(octets)


def encode_status(row: HeardStatus) -> bytes:
    """The status as it is stored until its command is known."""
    return _ENCODER.encode(row)


def decode_status(octets: bytes) -> HeardStatus:
    """The status that `encode_status` wrote; raises `msgspec.DecodeError`."""
    return _STATUS.decode(octets)


def sent_keys_begin(handset: str) -> bytes:
    """The beginning of the keys of this handset's sent commands, and of no other handset's."""
    return handset.encode() + b"/"


def sent_key(handset: str, command_id: str) -> bytes:
    """The key of the row of a command that was sent."""
    return sent_keys_begin(handset) + b"c/" + command_id.encode()


def gateway_id_keys(handset: str, gateway_message_id: str) -> list[bytes]:
    """The keys under which the row of one of the gateway's ids may be; it is kept under the first.

    Receipts by SMPP write an id in hex or in decimal, with leading zeros or without.
    """
    begin = sent_keys_begin(handset) + b"g/"
    return [begin + key.encode() for key in keys_of_message_id(gateway_message_id)]
