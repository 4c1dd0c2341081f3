"""Makes a part of a raw event: reads addresses, time, charset and UDH, and flags odd values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.records import Flag, MoPart, MoRaw, Rejected, Source
from pipeline.sms.charset import EIGHT_BIT, charset_from_name
from pipeline.sms.msisdn import address_from_text, is_digits, is_international
from pipeline.sms.timestamp import time_from_gateway
from pipeline.sms.udh import WHOLE, Concatenation, concatenation_from_udh, udh_from_hex
from pipeline.stages.parts.dedupe import LATEST_RETRY, key_of_part
from pipeline.wire.callback import MoCallback
from pipeline.wire.smpp.callback import delivery_key
from pipeline.wire.ways import callback_from_raw

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.directory.directory import Directory

_SMPP: Final = Source.SMPP.value  # a member is slow to look up
_FTP: Final = Source.FTP.value


def normalise(
    raw: MoRaw, *, partition: int, offset: int, directory: Directory, default_charset: str
) -> MoPart | Rejected | None:
    """The part in `raw`; None if `raw` holds no callback.

    Until dedupe accepts the part, its `part_id` is its dedupe key. The key is computed here,
    because it needs the time that the gateway stated, which a part does not have.
    """
    callback = callback_from_raw(raw)
    if not isinstance(callback, MoCallback):
        return callback
    flags: list[str] = [callback.flag] if callback.flag else []
    handset = address_from_text(callback.handset)
    number = address_from_text(callback.number)
    api_id = callback.api_id.strip()
    mo_msg_id = callback.mo_msg_id.strip()
    stated_at = _stated_time(callback.timestamp, flags)
    believed_at = stated_at or _time_beside(raw, flags)
    udh, concatenation = _udh(callback.udh, flags)
    charset_given = callback.charset.strip()
    charset = _charset(charset_given or default_charset, flags)
    listed = directory.find(number) if is_digits(number) else None
    if listed is None:
        flags.append(Flag.UNKNOWN_NUMBER)
    elif raw.source == _SMPP:  # a deliver_sm names no api_id
        api_id = listed.api_id
    if api_id and not directory.knows_api_id(api_id):
        flags.append(Flag.UNKNOWN_API_ID)
    if not is_international(handset):
        flags.append(Flag.NOT_INTERNATIONAL if is_digits(handset) else Flag.NO_CONSENT)
    key = (
        delivery_key(callback)
        if raw.bind
        else key_of_part(
            source=raw.source,
            raw_position=(partition, offset),
            handset=handset,
            number=number,
            mo_msg_id=mo_msg_id,
            concatenation=concatenation,
            sent_at=stated_at or callback.timestamp.strip() or believed_at or raw.received_at,
            udh=udh or callback.udh.encode(),
            octets=callback.octets,
        )
    )
    return MoPart(
        part_id=key.hex(),
        handset=handset,
        number=number,
        api_id=api_id,
        mo_msg_id=mo_msg_id,
        source=raw.source,
        gateway_time=_gateway_time(believed_at, raw, flags),
        received_at=raw.received_at,
        charset=charset,
        charset_given=charset_given,
        octets=callback.octets,
        udh=udh,
        reference_bits=concatenation.bits,
        reference=concatenation.reference,
        parts_total=concatenation.total,
        part_number=concatenation.number,
        network_id=callback.network_id.strip(),
        flags=flags,
        raw_partition=partition,
        raw_offset=offset,
    )


def _stated_time(text: str, flags: list[str]) -> datetime | None:
    stated_at = time_from_gateway(text)
    if stated_at is None and text.strip():
        flags.append(Flag.TIMESTAMP_UNREADABLE)
    return stated_at


def _time_beside(raw: MoRaw, flags: list[str]) -> datetime | None:
    """The time of a neighbouring line, for a line of mo.log without a readable time."""
    if raw.source == _FTP and Flag.TIMESTAMP_UNREADABLE not in flags:
        flags.append(Flag.TIMESTAMP_UNREADABLE)
    return raw.neighbour_time


def _gateway_time(stated_at: datetime | None, raw: MoRaw, flags: list[str]) -> datetime:
    """The stated time, or our time of receipt if that is missing, unreadable or impossible.

    The stated time cannot be later than our receipt. Except in a log, it cannot be older than the
    gateway's last retry.
    """
    received_at = raw.received_at
    if stated_at is None or stated_at > received_at:
        return received_at
    if received_at - stated_at > LATEST_RETRY and raw.source != _FTP:
        flags.append(Flag.TIMESTAMP_IMPLAUSIBLE)
        return received_at
    return stated_at


def _udh(text: str, flags: list[str]) -> tuple[bytes, Concatenation]:
    """The octets of the header (empty if it is not hex), and the part's place in a message."""
    if not text:
        return b"", WHOLE
    udh = udh_from_hex(text)
    concatenation = None if udh is None else concatenation_from_udh(udh)
    if concatenation is None:
        flags.append(Flag.MALFORMED_UDH)
    return udh or b"", concatenation or WHOLE


def _charset(name: str, flags: list[str]) -> str:
    """The charset of a name; an unknown charset is read as 8-BIT, so that nothing is guessed."""
    charset = charset_from_name(name)
    if charset is None:
        flags.append(Flag.UNKNOWN_CHARSET)
    return charset or EIGHT_BIT
