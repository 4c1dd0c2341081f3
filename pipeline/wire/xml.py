"""The XML callback: a document in `data`, of the query or the form, or as the body (G8.3.4)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from pipeline.records import Flag, Reason, Rejected
from pipeline.sms.charset import (
    EIGHT_BIT,
    GSM_7,
    ISO_8859_1,
    UTF_16BE,
    charset_from_name,
)
from pipeline.sms.codecs_known import text_strictly
from pipeline.wire import http_form
from pipeline.wire.callback import MoCallback, callback_or_rejected
from pipeline.wire.multipart import boundary_of, is_form_data, parts_from_octets
from pipeline.wire.percent import octets_from_percent
from pipeline.wire.xml_repair import fields_from_document

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.wire.xml_repair import Repaired


class FormParser(Protocol):
    """Reads a callback that is a form; None when the request has no variable of one."""

    def __call__(self, *, query: bytes, body: bytes, content_type: str) -> object | None: ...


CONTAINERS: Final = frozenset({"clickmo", "mo_callback"})

# The guide's element and our field, in the guide's order.
_ELEMENTS: Final = {
    "api_id": "api_id",
    "moMsgId": "mo_msg_id",
    "from": "handset",
    "to": "number",
    "timestamp": "timestamp",
    "text": "octets",
    "charset": "charset",
    "udh": "udh",
}
_FIELDS: Final = {name.lower(): field for name, field in _ELEMENTS.items()} | {
    "momsgld": "mo_msg_id"  # the guide prints an l for the I
}
_DATA: Final = re.compile(rb"(?:^|&)data=", re.IGNORECASE)
_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2})*")
# The first octets of a document that does not begin with the octet `<`: byte order marks, UTF-16BE.
_OTHER_STARTS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x00<")
_NOT_IN_XML: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def parse(*, query: bytes, body: bytes, content_type: str) -> MoCallback | Rejected | None:
    """The callback of one request; None when the request has no part of a callback.

    Such a request is a trial of the URL by the gateway.
    """
    document = document_from_request(query=query, body=body, content_type=content_type)
    if not isinstance(document, bytes):
        return document
    return callback_from_document(fields_from_document(document, containers=CONTAINERS))


def render(callback: MoCallback) -> bytes | None:
    """The form body that the gateway would send, in the form that the guide prints.

    None when XML cannot hold the characters: a cut surrogate pair, or a control character.
    """
    values = values_of(callback)
    if values is None:
        return None
    lines = [
        b"  <%b>%b</%b>" % (name.encode(), escaped(values[field]), name.encode())
        for name, field in _ELEMENTS.items()
    ]
    return b"\n".join([b'data=<?xml version="1.0"?>', b"<clickmo>", *lines, b"</clickmo>"])


def document_from_request(
    *, query: bytes, body: bytes, content_type: str, form: FormParser = http_form.parse
) -> bytes | Rejected | None:
    """The octets of the document: the body if it is XML, else `data` of the form or of the query.

    Where the octet after `data=` is a literal `<`, all that follows is the document, undecoded. A
    request that carries a callback in another shape, which `form` reads, is refused, and never
    taken for a trial.
    """
    bare = body.strip()
    if bare.startswith((b"<", *_OTHER_STARTS)):
        return bare if bare.startswith(b"<") else body
    in_body = _data_of_parts(body, content_type) if is_form_data(content_type) else _data(body)
    found = [data for data in (in_body, _data(query)) if data is not None]
    for data in found:
        if isinstance(data, Rejected) or data:
            return data
    if found:
        return Rejected(Reason.NOT_XML, "data is empty")
    if form(query=query, body=body, content_type=content_type) is None:
        return None
    return Rejected(Reason.NOT_XML, "data is absent")


def callback_from_document(read: Repaired) -> MoCallback | Rejected:
    """The callback of a document that was read. It is flagged if the document was repaired."""
    callback = callback_from_fields(read.fields)
    if isinstance(callback, Rejected) or not read.repaired:
        return callback
    return msgspec.structs.replace(callback, flag=Flag.REPAIRED)


def callback_from_fields(fields: Mapping[str, str] | Rejected | None) -> MoCallback | Rejected:
    """The callback in the elements of a document."""
    if isinstance(fields, Rejected):
        return fields
    if fields is None:
        return Rejected(Reason.MISSING_FROM, "from is absent: there is no callback in the XML")
    given = {field: fields[name] for name, field in _FIELDS.items() if fields.get(name)}
    text = given.pop("octets", "")
    texts = {field: value.strip() for field, value in given.items()}
    octets, texts["charset"] = octets_from_text(text, texts.get("charset", ""))
    return callback_or_rejected(
        MoCallback(
            octets=octets,
            handset=texts.pop("handset", ""),
            number=texts.pop("number", ""),
            flag="",
            **texts,
        )
    )


def octets_from_text(text: str, name: str) -> tuple[bytes, str]:
    """The octets of the characters `text`, and the name of their charset.

    The charset is the one in `name`, with these exceptions:

    - Characters that this charset cannot hold are encoded as UTF-16BE, under that name.
    - An absent charset, or GSM-7, becomes ISO-8859-1.
    - An unknown charset keeps its name, and the octets are ISO-8859-1.
    - 8-BIT is decoded from hex. 8-BIT that is not hex is encoded as ISO-8859-1, and keeps its name.
    """
    charset = charset_from_name(name)
    if charset == EIGHT_BIT and _HEX.fullmatch(text.strip()) and (text.strip() or not text):
        return bytes.fromhex(text.strip()), name
    if charset == UTF_16BE:
        return text.encode("utf-16-be"), name
    if charset not in (None, ISO_8859_1, EIGHT_BIT, GSM_7):
        try:
            return text.encode(charset), name
        except UnicodeEncodeError:
            return text.encode("utf-16-be"), UTF_16BE
    try:
        octets = text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-16-be"), UTF_16BE
    keeps_name = charset in (ISO_8859_1, EIGHT_BIT) or (charset is None and name)
    return octets, name if keeps_name else ISO_8859_1


def values_of(callback: MoCallback) -> dict[str, str] | None:
    """Each field as characters; None when XML cannot hold the characters of a field."""
    values = {field: getattr(callback, field) for field in _ELEMENTS.values()}
    charset = charset_from_name(callback.charset)
    if charset == EIGHT_BIT:
        values["octets"] = callback.octets.hex()
    elif charset == UTF_16BE:
        try:
            values["octets"] = callback.octets.decode("utf-16-be")
        except UnicodeDecodeError:
            return None
    elif charset in (None, ISO_8859_1, GSM_7):
        values["octets"] = callback.octets.decode("latin-1")
    else:
        text = text_strictly(callback.octets, charset)
        if text is None:
            return None
        values["octets"] = text
    return values if all(map(fits_xml, values.values())) else None


def fits_xml(text: str) -> bool:
    """Whether XML 1.0 has every character of it (2.2)."""
    return _NOT_IN_XML.search(text) is None


def escaped(text: str) -> bytes:
    """The text as escaped character data in ASCII, which needs no declared encoding."""
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\r", "&#13;")):
        text = text.replace(character, entity)
    return text.encode("ascii", "xmlcharrefreplace")


def _data_of_parts(body: bytes, content_type: str) -> bytes | None:
    """The value of `data` in form-data, which is not encoded; None when there is none."""
    boundary = boundary_of(content_type)
    parts = parts_from_octets(body, boundary) if boundary else ()
    found = [octets for name, octets in parts if name.strip().lower() == b"data"]
    return (
        None if not found else found[0] if found[0].startswith(_OTHER_STARTS) else found[0].strip()
    )


def _data(encoded: bytes) -> bytes | Rejected | None:
    """The value of `data`, or None when there is none."""
    match = _DATA.search(encoded)
    if match is None:
        return None
    rest = encoded[match.end() :]
    if rest.startswith(b"<"):
        return rest.strip()
    octets = octets_from_percent(rest.partition(b"&")[0])
    if octets is None:
        return Rejected(Reason.BROKEN_PERCENT_ENCODING, "data is not percent-encoded")
    return octets if octets.startswith(_OTHER_STARTS) else octets.strip()
