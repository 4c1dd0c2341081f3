"""Drops duplicates, so that a part has one effect even if it arrives several times or ways.

The row of a key holds the digests of the octets that were accepted under the key. If the key has a
stated time that cannot be read, the row holds one digest, and when the last part was received, in
seconds of Unix time (deploy/decisions/0109).
"""

from __future__ import annotations

from binascii import unhexlify
from datetime import timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.records import Flag, MoPart, Source
from pipeline.stages.parts.dedupe_smpp import accept_delivery

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.records import MoRaw
    from pipeline.sms.udh import Concatenation

KEY_LENGTH: Final = 16
_DIGEST_LENGTH: Final = 8
#: The most digests under one key. A repeat of octets whose digest was dropped counts as new.
MOST_DIGESTS: Final = 64
_SMPP: Final = Source.SMPP.value  # a member is slow to look up
_FTP: Final = Source.FTP.value
_UNREADABLE: Final = Flag.TIMESTAMP_UNREADABLE.value
#: The gateway's retries last 254 minutes (G8.3.1: 2 to 128); ten more for clocks and queues.
LATEST_RETRY: Final = timedelta(minutes=254 + 10)
_fields_encoded = msgspec.msgpack.Encoder().encode  # no two sequences of fields look alike


def key_of_part(
    *,
    source: str,
    raw_position: tuple[int, int],
    handset: str,
    number: str,
    mo_msg_id: str,
    concatenation: Concatenation,
    sent_at: datetime | str,
    udh: bytes,
    octets: bytes,
) -> bytes:
    """What equals for two arrivals of one part.

    `sent_at` is the time stated: as its own words where it cannot be read, and where there are none
    our receipt (deploy/decisions/0091).

    A `deliver_sm` whose receiver names no bind is known by where it lies in mo-raw, so none is a
    duplicate; one with a bind has a key of its own (`delivery_key`, deploy/decisions/0061).
    """
    fields: tuple[object, ...]
    if source == _SMPP:
        fields = (source, raw_position)
    elif mo_msg_id:
        fields = (mo_msg_id, handset, number, concatenation)
    else:
        fields = (handset, number, sent_at, udh, octets)
    return blake2b(_fields_encoded(fields), digest_size=KEY_LENGTH).digest()


def seen_key(part: MoPart) -> bytes:
    """The key of a part that comes from normalise and has not been accepted yet."""
    return unhexlify(part.part_id)


def accept_arrival(seen: bytes | None, part: MoPart, raw: MoRaw) -> tuple[bytes, MoPart | None]:
    """`accept_part` for a part that `raw` brought; a `deliver_sm` has a rule of its own."""
    return accept_delivery(seen, part, raw) if raw.bind else accept_part(seen, part)


def accept_part(seen: bytes | None, part: MoPart) -> tuple[bytes, MoPart | None]:
    """The key's new row, and the part under its own id; None: it is a duplicate.

    If the key was seen only with other octets, its id is reused: the part is new and is flagged,
    and its repeats are duplicates of it. The final id is computed from key, octets and receipt. So
    a replay gives the same id, and an equal part that comes after the key was forgotten another id.
    """
    row = seen or b""
    digest = blake2b(part.octets, digest_size=_DIGEST_LENGTH).digest()
    if part.flags and _UNREADABLE in part.flags and not part.mo_msg_id:
        if row and not _is_later_than_retries(row, part):
            return row, None
        seconds = max(0, int(part.received_at.timestamp()))
        row, digest = b"", digest + seconds.to_bytes(_DIGEST_LENGTH, "big")
    elif row and any(
        row[at : at + _DIGEST_LENGTH] == digest for at in range(0, len(row), _DIGEST_LENGTH)
    ):
        return row, None
    identity = _fields_encoded((part.part_id, part.octets, part.received_at))
    accepted = msgspec.structs.replace(
        part,
        part_id=blake2b(identity, digest_size=16).hexdigest(),
        flags=[*part.flags, Flag.ID_REUSED] if row else part.flags,
    )
    return row[-(MOST_DIGESTS - 1) * _DIGEST_LENGTH :] + digest, accepted


def is_in_doubt(part: MoPart) -> bool:
    """Whether a repeat may be a message of its own: nothing that it states says which one it is.

    That is a callback whose time cannot be read, and a `deliver_sm` that comes by another bind.
    A part of several is never in doubt, nor a line of a log: reading a log again changes nothing.
    """
    if part.mo_msg_id or part.reference_bits or part.source == _FTP:
        return False
    return part.source == _SMPP or _UNREADABLE in part.flags


def _is_later_than_retries(row: bytes, part: MoPart) -> bool:
    """Whether a part without id and readable time is too late to be a retry of the last one.

    A line of a log is never too late.
    """
    accepted_at = row[_DIGEST_LENGTH:]
    if part.source == _FTP or len(accepted_at) != _DIGEST_LENGTH:
        return False
    late_seconds = part.received_at.timestamp() - int.from_bytes(accepted_at, "big")
    return late_seconds > LATEST_RETRY.total_seconds()
