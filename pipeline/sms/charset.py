"""The gateway's three charsets (G8.3.2): known by any spelling, read without losing an octet.

Other character sets are known by name; `stages/message_decoding.py` reads them.

Parts that came by SMPP may be GSM-7 as well: an escape cut from its character by the end of a part
can be read only after the octets are joined (deploy/decisions/0060).
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

# Letters and digits of the names in use: IANA's aliases, and 3GPP TS 23.038's "UCS2" and "8 bit
# data". US-ASCII is the lower half of ISO-8859-1. UTF-16 without BE is taken as the gateway means
# it: big endian, unless a byte order mark says otherwise.
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
    """The guide's spelling of a charset named in any case and punctuation; None: nobody knows it.

    A character set beyond the three is Python's name of it.
    """
    return _charset_from_name(name) if len(name) <= LONGEST_CACHED else None


@lru_cache(maxsize=64)
def _charset_from_name(name: str) -> str | None:
    plain = "".join(filter(str.isalnum, name.casefold()))
    return _CHARSET_FROM_SPELLING.get(plain) or CODECS.get(plain)


def text_from_octets(octets: bytes, charset: str) -> tuple[str, bool]:
    """The text of `octets` in one of the guide's charsets, and whether the reading lost something.

    Byte order marks are for `stages/message_decoding.py`. ISO-8859-1 is windows-1252, whose five
    empty places are the control characters that ISO-8859-1 has there (WHATWG Encoding): nothing is
    lost. 8-BIT is binary: its text is lower-case hex. In UTF-16BE a lone surrogate, or an odd octet
    at the end, is U+FFFD in the text and loses; the octets themselves stay on the record. The text
    is never empty unless the octets are.
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
