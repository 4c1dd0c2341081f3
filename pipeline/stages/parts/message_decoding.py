"""Decodes the joined octets of a message.

Byte order marks are used and left out of the text. A charset outside the guide's three is decoded
strictly. The result names one of the guide's three charsets, with octets that decode to the text.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from pipeline.records import Flag
from pipeline.sms.charset import EIGHT_BIT, GSM_7, ISO_8859_1, UTF_16BE, text_from_octets
from pipeline.sms.codecs_known import text_strictly
from pipeline.sms.gsm7 import default as gsm7
from pipeline.sms.gsm7.national import DEFAULT, Tables
from pipeline.sms.likeness import CONTROL, is_ascii, is_packed, is_swapped


class Decoded(NamedTuple):
    """A text, the octets and charset in which it is published, and its flags."""

    text: str
    lossy: bool
    octets: bytes
    charset: str
    flags: tuple[str, ...] = ()


BIG_ENDIAN: Final = b"\xfe\xff"
LITTLE_ENDIAN: Final = b"\xff\xfe"
_UTF_8_MARK: Final = b"\xef\xbb\xbf"
_UTF_32_MARKS: Final = {b"\x00\x00\xfe\xff": "utf_32_be", b"\xff\xfe\x00\x00": "utf_32_le"}
_MARK: Final = "\ufeff"
_DOUBT: Final[tuple[str, ...]] = (Flag.UNEXPECTED_CHARSET.value,)
_SWAPPED: Final[tuple[str, ...]] = (Flag.BYTE_ORDER_SWAPPED.value,)
_UNKNOWN: Final[tuple[str, ...]] = (Flag.UNKNOWN_CHARSET.value,)
_NONE: Final[tuple[str, ...]] = ()
_TABLE: Final[tuple[str, ...]] = (Flag.UNKNOWN_LANGUAGE_TABLE.value,)
_MAYBE_UTF_8: Final = re.compile(b"[\xc2-\xf4][\x80-\xbf]")  # RFC 3629 section 4: a lead, a tail


def decoded(octets: bytes, charset: str, tables: Tables = DEFAULT) -> Decoded:
    """The text of `octets` in a charset that `charset_from_name` gives."""
    if charset == ISO_8859_1:
        return _single_octets(octets)
    if charset == UTF_16BE:
        return _utf_16(octets)
    if charset == EIGHT_BIT:
        return Decoded(octets.hex(), False, octets, EIGHT_BIT)
    if charset == GSM_7:
        text, lossy = gsm7.text_from_septets(octets, tables.locking, tables.single)
        flags = _TABLE if tables.unknown else _NONE
        if _doubts_septets(octets):
            flags += _DOUBT
        return _published(text, lossy=lossy or tables.unknown, flags=flags)
    return _other(octets, charset)


def plain_text(octets: bytes, charset: str) -> str:
    """The text if it is printable ASCII in ISO-8859-1, as in most messages, else empty."""
    if charset == ISO_8859_1 and octets.isascii():
        text = octets.decode("ascii")
        if text.isprintable():
            return text
    return ""


def _single_octets(octets: bytes) -> Decoded:
    """Decode ISO-8859-1 as windows-1252; octets that look like another charset are flagged."""
    if octets.isascii():
        text = octets.decode("ascii")
        odd = not text.isprintable() and CONTROL.search(text) is not None
        return Decoded(text, False, octets, ISO_8859_1, _DOUBT if odd else ())
    if octets.startswith((BIG_ENDIAN, LITTLE_ENDIAN)):
        marked = _utf_16(octets)
        if not marked.lossy:
            return marked._replace(flags=tuple(dict.fromkeys(_DOUBT + marked.flags)))
    utf_8 = text_strictly(octets, "utf_8") if _MAYBE_UTF_8.search(octets) else None
    if utf_8 is not None and octets.startswith(_UTF_8_MARK):
        return _published(utf_8.replace(_MARK, ""), lossy=False, flags=_DOUBT)
    text, lossy = text_from_octets(octets, ISO_8859_1)
    odd = utf_8 is not None or CONTROL.search(text) is not None or is_packed(octets)
    return Decoded(text, lossy, octets, ISO_8859_1, _DOUBT if odd else ())


def _utf_16(octets: bytes) -> Decoded:
    """Decode UTF-16, big endian unless a byte order mark says otherwise.

    A sender may mark each part, so a marked text may have more marks inside; all are removed.
    U+FFFE is not a character, but a mark in the other byte order.
    """
    if octets.startswith(_UTF_8_MARK):
        utf_8 = text_strictly(octets, "utf_8")
        if utf_8 is not None:
            return _published(utf_8.replace(_MARK, ""), lossy=False, flags=_DOUBT)
    swapped = octets.startswith(LITTLE_ENDIAN)
    marked = swapped or octets.startswith(BIG_ENDIAN)
    if swapped:
        octets = _other_order(octets)
    text, lossy = text_from_octets(octets, UTF_16BE)
    flags = _SWAPPED if swapped else _NONE
    if marked:
        text = text.replace(_MARK, "")
        octets = octets[2:] if lossy else text.encode("utf-16-be")
    elif text and _looks_otherwise(octets):
        flags = _DOUBT
    if "\ufffe" in text:
        lossy, flags = True, tuple(dict.fromkeys(flags + _SWAPPED))
    return Decoded(text, lossy, octets, UTF_16BE, flags)


def _other_order(octets: bytes) -> bytes:
    swapped = bytearray(octets)
    even = len(octets) & ~1
    swapped[0:even:2], swapped[1:even:2] = octets[1:even:2], octets[0:even:2]
    return bytes(swapped)


def _looks_otherwise(octets: bytes) -> bool:
    """Whether unmarked octets look like another coding than UTF-16BE."""
    if octets[0] < 0x20:  # most alphabets
        return is_swapped(octets)
    return is_swapped(octets) or is_ascii(octets) or is_packed(octets)


def _doubts_septets(octets: bytes) -> bool:
    """Whether unpacked septets look like UTF-16 (every other octet NUL) or like packed septets.

    Packed letters end in an octet below 20, or hold an octet above 7F, which is not a septet and
    makes the text lossy.
    """
    if not octets or (octets[-1] >= 0x20 and octets[0] and octets[1:2] != b"\0"):
        return False
    return octets.count(0) * 2 >= len(octets) > 1 or is_packed(octets)


def _other(octets: bytes, codec: str) -> Decoded:
    """Decode another charset strictly; if that fails, the text is the octets in hex."""
    flags = _DOUBT
    order = _UTF_32_MARKS.get(octets[:4]) if codec.startswith("utf_32") else None
    if codec == "utf_16_le" and octets.startswith(BIG_ENDIAN):
        order = "utf_16_be"
    if order is not None and order != codec:
        codec, flags = order, _DOUBT + _SWAPPED
    text = text_strictly(octets, codec)
    if text is None:
        return Decoded(octets.hex(), False, octets, EIGHT_BIT, _UNKNOWN)
    if text.startswith(_MARK):
        text = text.replace(_MARK, "")
    return _published(text, lossy=False, flags=flags)


def _published(text: str, *, lossy: bool, flags: tuple[str, ...]) -> Decoded:
    """The text in ISO-8859-1 if that decodes to the same text, else in UTF-16BE."""
    try:
        octets = text.encode("latin-1")
    except UnicodeEncodeError:
        octets = b""
    if text and (not octets or _single_octets(octets).text != text):
        return Decoded(text, lossy, text.encode("utf-16-be"), UTF_16BE, flags)
    return Decoded(text, lossy, octets, ISO_8859_1, flags)
