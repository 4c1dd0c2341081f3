"""Repairs of XML that is not well-formed. They are tried only after a strict reading failed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.sms.charset import (
    EIGHT_BIT,
    GSM_7,
    ISO_8859_1,
    UTF_16BE,
    charset_from_name,
    text_from_octets,
)
from pipeline.sms.codecs_known import text_strictly
from pipeline.wire.hardened_xml import NotWellFormed, fields_from_xml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.records import Rejected

_OF_THE_GUIDE: Final = frozenset({EIGHT_BIT, GSM_7, ISO_8859_1, UTF_16BE})
_CHARSET: Final = re.compile(
    rb"<(?:[A-Za-z]{1,16}:)?charset(?: [^<>]{0,99})?>([^<>]{1,64})<", re.IGNORECASE
)
_DECLARATION: Final = re.compile(rb"<\?xml[^>]{0,200}\?>")
# Two references that form a surrogate pair, decimal or hexadecimal. XML 1.0 4.1 forbids each.
_REFERENCE: Final = rb"&#(?:0{0,8}([0-9]{5})|[xX]0{0,8}([0-9A-Fa-f]{4}));"
_PAIR: Final = re.compile(_REFERENCE + _REFERENCE)


class Repaired(NamedTuple):
    """The fields of a document, and whether its characters or its encoding were repaired."""

    fields: Mapping[str, str] | Rejected | None
    repaired: bool


def fields_from_document(
    document: bytes,
    *,
    containers: frozenset[str],
    also: Callable[[bytes], bytes] = bytes,
) -> Repaired:
    """The fields that `fields_from_xml` reads. Repairs a document that is not well-formed.

    `also` repairs the markup of the guide's own samples. A document that needs only this repair
    does not count as repaired. If no repair helps, the refusal of the strict reading stands.
    """
    strict = fields_from_xml(document, containers=containers)
    if not isinstance(strict, NotWellFormed):
        return Repaired(strict, repaired=False)
    spaced = also(document)
    characters = _with_characters(spaced)
    for octets in (spaced, characters, _in_its_charset(characters)):
        if octets != document:
            fields = fields_from_xml(octets, containers=containers)
            if not isinstance(fields, NotWellFormed):
                return Repaired(fields, repaired=octets != spaced)
    return Repaired(strict, repaired=False)


def _with_characters(document: bytes) -> bytes:
    return _PAIR.sub(_one_reference, document)


def _one_reference(pair: re.Match[bytes]) -> bytes:
    first, second = (int(pair[at]) if pair[at] else int(pair[at + 1], 16) for at in (1, 3))
    if not (0xD800 <= first < 0xDC00 <= second < 0xE000):  # Unicode 3.9, D91
        return pair[0]
    return b"&#%d;" % (0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))


def _in_its_charset(document: bytes) -> bytes:
    """The document converted to UTF-8 from the charset that its charset element names.

    Without a known charset it is read as windows-1252. So is a document that names a charset of the
    guide: its markup is ASCII, so it is neither UTF-16 nor binary.
    """
    named = _CHARSET.search(document)
    charset = charset_from_name(named[1].decode("latin-1").strip()) if named else None
    beyond = charset is not None and charset not in _OF_THE_GUIDE
    text = text_strictly(document, charset) if beyond and charset else None
    if text is None:
        text, _ = text_from_octets(document, ISO_8859_1)
    try:
        return _DECLARATION.sub(b"", text.encode(), count=1)
    except UnicodeEncodeError:
        return document
