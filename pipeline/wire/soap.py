"""The SOAP callback: `tns:mo_callback` in an envelope, in `data` or as the body (G8.3.5)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pipeline.wire.xml import (
    CONTAINERS,
    callback_from_document,
    document_from_request,
    escaped,
    values_of,
)
from pipeline.wire.xml_repair import fields_from_document

if TYPE_CHECKING:
    from pipeline.records import Rejected
    from pipeline.wire.callback import MoCallback

# Comments and CDATA sections match as a whole, so that start tags inside them are skipped. Each
# branch starts differently, so the time is linear for any octets. `*+` never backtracks.
_TAG: Final = re.compile(
    rb"""<!--(?:.*?-->|.*)|<!\[CDATA\[(?:.*?\]\]>|.*)|<[A-Za-z_:](?:[^<>"']|"[^"<]*"|'[^'<]*')*+>""",
    re.DOTALL,
)
_VALUE: Final = re.compile(rb"""("[^"<]*"|'[^'<]*')([A-Za-z_:]?)""")

# The guide's element and type, and our field, in the guide's order.
_ELEMENTS: Final = (
    ("api_id", "int", "api_id"),
    ("from", "string", "handset"),
    ("to", "string", "number"),
    ("timestamp", "string", "timestamp"),
    ("charset", "string", "charset"),
    ("udh", "string", "udh"),
    ("text", "string", "octets"),
    ("momsgid", "string", "mo_msg_id"),
)
_HEAD: Final = b"""Data=<?xml version="1.0" encoding="ISO-8859-1"?>
<SOAP-ENV:Envelope SOAP-ENV:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"
xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"
xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
xmlns:SOAP-ENC="http://schemas.xmlsoap.org/soap/encoding/" xmlns:tns="clickatell_mo">
<SOAP-ENV:Body>
<tns:mo_callback xmlns:tns="clickatell_mo">
"""
_FOOT: Final = b"""
</tns:mo_callback>
</SOAP-ENV:Body>
</SOAP-ENV:Envelope>"""


def parse(*, query: bytes, body: bytes, content_type: str) -> MoCallback | Rejected | None:
    """The callback of one request; None when the request has no part of a callback.

    Such a request is a trial of the URL by the gateway. A document that is not well-formed is
    repaired and read again.
    """
    document = document_from_request(query=query, body=body, content_type=content_type)
    if not isinstance(document, bytes):
        return document
    read = fields_from_document(document, containers=CONTAINERS, also=with_blanks)
    return callback_from_document(read)


def render(callback: MoCallback) -> bytes | None:
    """The form body that the gateway would send, well-formed. None in the same cases as for XML."""
    values = values_of(callback)
    if values is None:
        return None
    lines = [
        b'<%b xsi:type="xsd:%b">%b</%b>'
        % (name.encode(), kind.encode(), escaped(values[field]), name.encode())
        for name, kind, field in _ELEMENTS
    ]
    return _HEAD + b"\n".join(lines) + _FOOT


def with_blanks(document: bytes) -> bytes:
    """With the blank that the guide's sample lacks between an attribute and the next.

    The line break inside an attribute of the sample is well-formed: expat turns it into a blank.
    """
    return _TAG.sub(lambda tag: _blanks_in(tag[0]), document)


def _blanks_in(tag: bytes) -> bytes:
    if tag.startswith(b"<!"):
        return tag
    return _VALUE.sub(lambda value: b" ".join(filter(None, value.groups())), tag)
