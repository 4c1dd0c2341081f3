"""The gateway's three charsets (G8.3.2): known by any spelling, read without losing an octet.

Parts that came by SMPP may be GSM-7 as well: an escape cut from its character by the end of a part
can be read only after the octets are joined (deploy/decisions/0060).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from pipeline.sms import LONGEST_CACHED, gsm7

ISO_8859_1: Final = "ISO-8859-1"
UTF_16BE: Final = "UTF-16BE"
EIGHT_BIT: Final = "8-BIT"
GSM_7: Final = "GSM-7"  # of a part, never of a message

# Letters and digits of the names in use: IANA's aliases, and 3GPP TS 23.038's "UCS2" and "8 bit
# data". US-ASCII is the lower half of ISO-8859-1. UTF-16 without BE is taken as the gateway means
# it: big endian; a byte order mark stays in the text.
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
    """The guide's spelling of a charset named in any case and punctuation; None: not one."""
    return _cached(name) if len(name) <= LONGEST_CACHED else None


@lru_cache(maxsize=64)
def _cached(name: str) -> str | None:
    return _CHARSET_FROM_SPELLING.get("".join(filter(str.isalnum, name.casefold())))


def text_from_octets(octets: bytes, charset: str) -> tuple[str, bool]:
    """The text of `octets` in one of the three charsets, and whether the reading lost something.

    8-BIT is binary: its text is lower-case hex. In UTF-16BE a lone surrogate, or an odd octet at
    the end, is U+FFFD in the text and loses; the octets themselves stay on the record. The text is
    never empty unless the octets are.
    """
    if charset == ISO_8859_1:
        return octets.decode("latin-1"), False
    if charset == UTF_16BE:
        try:
            return octets.decode("utf-16-be"), False
        except UnicodeDecodeError:
            return octets.decode("utf-16-be", "replace"), True
    if charset == GSM_7:
        return gsm7.text_from_octets(octets)
    return octets.hex(), False


def published(octets: bytes, charset: str, text: str) -> tuple[bytes, str]:
    """The octets and charset of a message, its charset one of the three.

    The text of GSM-7 goes out in ISO-8859-1 where it fits, else in UTF-16BE.
    """
    if charset != GSM_7:
        return octets, charset
    try:
        return text.encode("latin-1"), ISO_8859_1
    except UnicodeEncodeError:
        return text.encode("utf-16-be"), UTF_16BE
