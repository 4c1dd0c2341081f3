"""A raw event becomes a part: addresses, time, charset and UDH read, what is odd flagged."""

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
    """The part that `raw` brought; None when it holds no callback.

    Until dedupe has accepted it, its `part_id` is its dedupe key: only here is the time still known
    as the gateway stated it, before a time after our receipt became our receipt.
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
    """In mo.log an unreadable time, or none, counts as that of the readable line beside it."""
    if raw.source == _FTP and Flag.TIMESTAMP_UNREADABLE not in flags:
        flags.append(Flag.TIMESTAMP_UNREADABLE)
    return raw.neighbour_time


def _gateway_time(stated_at: datetime | None, raw: MoRaw, flags: list[str]) -> datetime:
    """The stated time; where it is missing, unreadable or cannot be, our receipt.

    It cannot be later than our receipt, nor, of a live way, older than the gateway's last retry: a
    log is believed for any past time.
    """
    received_at = raw.received_at
    if stated_at is None or stated_at > received_at:
        return received_at
    if received_at - stated_at > LATEST_RETRY and raw.source != _FTP:
        flags.append(Flag.TIMESTAMP_IMPLAUSIBLE)
        return received_at
    return stated_at


def _udh(text: str, flags: list[str]) -> tuple[bytes, Concatenation]:
    """The header's octets (none where it is not hex) and where it puts the part."""
    if not text:
        return b"", WHOLE
    udh = udh_from_hex(text)
    concatenation = None if udh is None else concatenation_from_udh(udh)
    if concatenation is None:
        flags.append(Flag.MALFORMED_UDH)
    return udh or b"", concatenation or WHOLE


def _charset(name: str, flags: list[str]) -> str:
    """One of the three; an unknown one is read as 8-BIT, so that no octet is guessed at."""
    charset = charset_from_name(name)
    if charset is None:
        flags.append(Flag.UNKNOWN_CHARSET)
    return charset or EIGHT_BIT
