"""The gateway's three charsets (G8.3.2): find one by any spelling of its name, and read its octets.

This module finds the names of other character sets too. Texts in those are read by
`pipeline/stages/parts/message_decoding.py`.

A part that came by SMPP may also be GSM-7. The end of a part can cut an escape from its character.
Such a character can be read only after the octets of the parts are joined (deploy/decisions/0060).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from pipeline.sms import LONGEST_CACHED
from pipeline.sms.codecs_known import CODECS
from pipeline.sms.gsm7 import default as gsm7

ISO_8859_1: Final = "ISO-8859-1"
UTF_16BE: Final = "UTF-16BE"
EIGHT_BIT: Final = "8-BIT"
GSM_7: Final = "GSM-7"  # of a part, never of a message

# The letters and digits of the names in use: IANA's aliases, and "UCS2" and "8 bit data" of 3GPP
# TS 23.038. US-ASCII is the lower half of ISO-8859-1. UTF-16 without BE has the gateway's meaning:
# big endian, unless a byte order mark says otherwise.
_CHARSET_FROM_SPELLING: Final = {
    "iso88591": ISO_8859_1,
    "iso885911987": ISO_8859_1,
    "isoir100": ISO_8859_1,
    "latin1": ISO_8859_1,
    "isolatin1": ISO_8859_1,
    "csisolatin1": ISO_8859_1,
    "l1": ISO_8859_1,
    "ibm819": ISO_8859_1,
    "cp819": ISO_8859_1,
    "usascii": ISO_8859_1,
    "ascii": ISO_8859_1,
    "utf16be": UTF_16BE,
    "csutf16be": UTF_16BE,
    "utf16": UTF_16BE,
    "ucs2": UTF_16BE,
    "ucs2be": UTF_16BE,
    "iso10646ucs2": UTF_16BE,
    "8bit": EIGHT_BIT,
    "8bitdata": EIGHT_BIT,
    "binary": EIGHT_BIT,
    "gsm7": GSM_7,
}


def charset_from_name(name: str) -> str | None:
    """The guide's spelling of a charset, or None when the name is unknown.

    Upper and lower case and punctuation in `name` do not matter. For a character set that is not
    one of the guide's, the result is Python's name. A name over 64 characters is unknown.
    """
    return _charset_from_name(name) if len(name) <= LONGEST_CACHED else None


@lru_cache(maxsize=64)
def _charset_from_name(name: str) -> str | None:
    plain = "".join(filter(str.isalnum, name.casefold()))
    return _CHARSET_FROM_SPELLING.get(plain) or CODECS.get(plain)


def text_from_octets(octets: bytes, charset: str) -> tuple[str, bool]:
    """The text of `octets` in one of the guide's charsets, and whether the reading lost something.

    `pipeline/stages/parts/message_decoding.py` handles byte order marks. ISO-8859-1 is read as
    windows-1252. The five octets that windows-1252 leaves empty are read as the control characters
    of ISO-8859-1 (WHATWG Encoding), so nothing is lost. 8-BIT is binary, and its text is lower-case
    hex. In UTF-16BE a lone surrogate, or an odd octet at the end, becomes U+FFFD in the text and
    counts as a loss. The record keeps the octets. The text is empty only when the octets are empty.
    """
    if charset == ISO_8859_1:
        return _windows_1252(octets), False
    if charset == UTF_16BE:
        try:
            return octets.decode("utf-16-be"), False
        except UnicodeDecodeError:
            return octets.decode("utf-16-be", "replace"), True
    if charset == GSM_7:
        return gsm7.text_from_septets(octets)
    return octets.hex(), False


def _windows_1252(octets: bytes) -> str:
    if octets.isascii():
        return octets.decode("ascii")
    try:
        return octets.decode("cp1252")
    except UnicodeDecodeError:
        return octets.decode("latin-1").translate(_PRINTED)


_PRINTED: Final = {
    octet: bytes((octet,)).decode("cp1252")
    for octet in range(0x80, 0xA0)
    if octet not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}
