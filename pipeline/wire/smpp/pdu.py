"""SMPP 3.4 PDUs: header and framing. This module uses no socket."""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import Final

import msgspec

HEADER_OCTETS: Final = 16  # SMPP 3.4 3.2: command_length, command_id, command_status, sequence
#: SMPP 3.4 sets no limit. A message_payload may hold 64 KiB (5.3.2.32), and a PDU has other TLVs.
LONGEST_PDU: Final = 128 * 1024
LARGEST_SEQUENCE: Final = 0x7FFFFFFF  # SMPP 3.4 3.2
_HEADER: Final = Struct(">IIII")
_LENGTH: Final = Struct(">I")


class Command(IntEnum):
    """SMPP 3.4 5.1.2.1: those we send or meet. The answer to one is it with the top bit set."""

    GENERIC_NACK = 0x80000000
    BIND_RECEIVER = 0x00000001
    BIND_RECEIVER_RESP = 0x80000001
    BIND_TRANSMITTER = 0x00000002
    BIND_TRANSMITTER_RESP = 0x80000002
    SUBMIT_SM = 0x00000004
    SUBMIT_SM_RESP = 0x80000004
    DELIVER_SM = 0x00000005
    DELIVER_SM_RESP = 0x80000005
    UNBIND = 0x00000006
    UNBIND_RESP = 0x80000006
    BIND_TRANSCEIVER = 0x00000009
    BIND_TRANSCEIVER_RESP = 0x80000009
    ENQUIRE_LINK = 0x00000015
    ENQUIRE_LINK_RESP = 0x80000015
    ALERT_NOTIFICATION = 0x00000102
    DATA_SM = 0x00000103


ANSWER: Final = 0x80000000
#: What may bring a message from a handset.
DELIVERIES: Final = frozenset({Command.DELIVER_SM, Command.DATA_SM})


class Status(IntEnum):
    """The statuses that we send, or that we treat differently (SMPP 3.4 5.1.3)."""

    OK = 0x00000000
    INVALID_COMMAND_LENGTH = 0x00000002
    INVALID_COMMAND = 0x00000003
    INVALID_BIND_STATUS = 0x00000004
    SYSTEM_ERROR = 0x00000008
    QUEUE_FULL = 0x00000014
    THROTTLED = 0x00000058
    TRY_AGAIN = 0x00000064  # ESME_RX_T_APPN
    REFUSED = 0x00000065  # ESME_RX_P_APPN: permanent


class Pdu(msgspec.Struct, frozen=True):
    """One PDU. `command` is any number a peer may send."""

    command: int
    status: int
    sequence: int
    body: bytes = b""

    def __repr__(self) -> str:
        """Without the body, which holds numbers, texts and, in a bind, the password."""
        return (
            f"Pdu(0x{self.command:08X}, status {self.status}, sequence {self.sequence},"
            f" {len(self.body)} octets)"
        )

    @property
    def is_answer(self) -> bool:
        """Whether it answers a request."""
        return bool(self.command & ANSWER)


def render(pdu: Pdu) -> bytes:
    """The octets on the wire."""
    length = HEADER_OCTETS + len(pdu.body)
    return _HEADER.pack(length, pdu.command, pdu.status, pdu.sequence) + pdu.body


def parse(octets: bytes) -> Pdu | None:
    """The PDU in `octets`; None when they are not exactly one PDU."""
    if len(octets) < HEADER_OCTETS:
        return None
    length, command, status, sequence = _HEADER.unpack_from(octets)
    if length != len(octets):
        return None
    return Pdu(command, status, sequence, octets[HEADER_OCTETS:])


def answer_to(pdu: Pdu, status: int = Status.OK, body: bytes = b"") -> Pdu:
    """The answer to a request, with its sequence number."""
    return Pdu(pdu.command | ANSWER, status, pdu.sequence, body)


def sequence_after(sequence: int) -> int:
    """The next sequence number. After the largest comes 1."""
    return sequence % LARGEST_SEQUENCE + 1


class Framer:
    """Cuts a stream into PDUs. It stops at a wrong length, because the next PDU cannot be found."""

    def __init__(self, *, longest: int = LONGEST_PDU) -> None:
        self._longest = longest
        self._held = bytearray()
        self.fault = ""
        """Why the stream cannot be read any further; empty while it can."""

    def feed(self, octets: bytes) -> list[bytes]:
        """The PDUs that `octets` complete, each unchanged."""
        if self.fault:
            return []
        held = self._held
        held += octets
        found: list[bytes] = []
        at = 0
        while len(held) - at >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(held, at)
            if not HEADER_OCTETS <= length <= self._longest:
                self.fault = f"a PDU says it has {length} octets"
                held.clear()
                return found
            if len(held) - at < length:
                break
            found.append(bytes(held[at : at + length]))
            at += length
        del held[:at]
        return found
