"""Renders a record in the form of its path: the guide's forms (G8.3), or an event as JSON."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from pipeline.avro import single_object
from pipeline.records import (
    ConsentChange,
    MoMessage,
    MoPart,
    MtRejection,
    MtState,
    ReplyWay,
)
from pipeline.records.plain import plain, text_from_time
from pipeline.sms.charset import EIGHT_BIT, UTF_16BE
from pipeline.wire import http_form, mo_log, soap, xml
from pipeline.wire.callback import MoCallback
from pipeline.wire.percent import percent_from_octets

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pipeline.records import Record, ReplyPath

GATEWAY_ZONE: Final = timezone(timedelta(hours=2))  # G8.3.1: GMT + 0200
UTF_8: Final = "UTF-8"
#: In place of a character that XML cannot hold (XML 1.0 2.2).
REPLACEMENT: Final = "\ufffd"
_TYPES: Final[dict[type[Record], str]] = {
    MoMessage: "message.received",
    MoPart: "part.received",
    ConsentChange: "consent.changed",
    MtState: "mt.result",
    MtRejection: "mt.rejected",
}


class NotHandedOn(ValueError):
    """The record cannot be handed on in the form of its path."""


def record_of(octets: bytes) -> Record:
    """Decode the record of an order; raises `NotHandedOn`."""
    try:
        return single_object.decode(octets)
    except single_object.Unreadable as error:
        raise NotHandedOn(str(error)) from error


def event_of(record: Record) -> bytes:
    """The JSON of an event: `type`, `timestamp` and `data`, as Standard Webhooks advises."""
    kind = _TYPES.get(type(record))
    if kind is None:
        raise NotHandedOn(f"a {type(record).__name__} is no event")
    return msgspec.json.encode(
        {"type": kind, "timestamp": text_from_time(_time_of(record)), "data": plain(record)}
    )


def form_of(path: ReplyPath, record: Record) -> bytes:
    """The query of a GET or the form of a POST, in the guide's form."""
    callback = callback_of(record, in_utf_8=path.charset == "utf-8")
    if path.way in (ReplyWay.HTTP_GET, ReplyWay.HTTP_POST):
        return http_form.render(callback)
    is_soap = path.way in (ReplyWay.SOAP_GET, ReplyWay.SOAP_POST)
    name, _, document = _document_of(soap.render if is_soap else xml.render, callback)
    return name + b"=" + percent_from_octets(document)


def line_of(path: ReplyPath, record: Record) -> bytes:
    """The line of mo.log, with its end (G8.3.2)."""
    callback = callback_of(record, in_utf_8=path.charset == "utf-8")
    fields = {
        name: _without_ends(getattr(callback, name)) for name in ("handset", "number", "api_id")
    }
    fields["mo_msg_id"] = _without_ends(callback.mo_msg_id)
    fields["network_id"] = _without_ends(callback.network_id)
    return mo_log.render(replace(callback, **fields)) + b"\n"


def callback_of(record: Record, *, in_utf_8: bool = False) -> MoCallback:
    """The variables of a callback for a record.

    moMsgId is our id of a message, or the gateway's id of a part; a part without one has our id.
    """
    if isinstance(record, MoMessage):
        callback = MoCallback(
            handset=record.handset,
            number=record.number,
            api_id=record.api_id,
            mo_msg_id=record.message_id,
            timestamp=_gateway_time(record.gateway_time),
            charset=record.charset,
            octets=record.octets,
            network_id=record.network_id,
        )
        if in_utf_8 and record.charset != EIGHT_BIT:
            return replace(callback, charset=UTF_8, octets=record.text.encode())
        return callback
    if not isinstance(record, MoPart):
        raise NotHandedOn(f"the guide has no form for a {type(record).__name__}")
    return MoCallback(
        handset=record.handset,
        number=record.number,
        api_id=record.api_id,
        mo_msg_id=record.mo_msg_id or record.part_id,
        timestamp=_gateway_time(record.gateway_time),
        charset=record.charset,
        udh=record.udh.hex(),
        octets=record.octets,
        network_id=record.network_id,
    )


def _document_of(
    render: Callable[[MoCallback], bytes | None], callback: MoCallback
) -> tuple[bytes, bytes, bytes]:
    """`data=` and the document; characters that XML cannot hold become U+FFFD."""
    rendered = render(callback)
    if rendered is None:
        encoding = {UTF_16BE: "utf-16-be", UTF_8: "utf-8"}.get(callback.charset, "latin-1")
        text = callback.octets.decode(encoding, "replace")
        kept = "".join(each if xml.fits_xml(each) else REPLACEMENT for each in text)
        octets = kept.encode("utf-16-be")
        rendered = render(replace(callback, charset=UTF_16BE, octets=octets))
    if rendered is None:
        raise NotHandedOn("XML cannot hold one of its fields")
    return rendered.partition(b"=")


def _without_ends(text: str) -> str:
    """The text without the characters that would end a field or a line."""
    return "".join(" " if each in "\t\r\n" else each for each in text)


def _gateway_time(time: datetime) -> str:
    return time.astimezone(GATEWAY_ZONE).strftime("%Y-%m-%d %H:%M:%S")


def _time_of(record: Record) -> datetime:
    if isinstance(record, (MoMessage, MoPart)):
        return record.received_at
    if isinstance(record, ConsentChange):
        return record.recorded_at
    if isinstance(record, (MtState, MtRejection)):
        return record.at
    raise NotHandedOn(f"a {type(record).__name__} is no event")
