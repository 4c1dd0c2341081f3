"""The charset that a data_coding names (SMPP 3.4 5.2.19; 3GPP TS 23.038 clause 4).

Six values have the meaning of SMPP, which all SMSCs share. All other values have the meaning of
23.038, because an SMSC passes that octet on. If the two standards disagree, or a value is reserved,
the meaning is in doubt.
"""

from __future__ import annotations

from typing import Final

from pipeline.sms.charset import EIGHT_BIT, GSM_7, ISO_8859_1, UTF_16BE

ALPHABETS: Final = {"gsm7": GSM_7, "latin1": ISO_8859_1}
"""The charset of the default alphabet, by the setting of the bind."""

BY_SMPP: Final = {  # SMPP 3.4 5.2.19; 0 is the SMSC's default alphabet
    1: "US-ASCII",
    2: EIGHT_BIT,
    3: ISO_8859_1,
    4: EIGHT_BIT,
    8: UTF_16BE,
}
_COMPRESSED: Final = 0x20  # of the general groups
_ALPHABETS: Final = (GSM_7, EIGHT_BIT, UTF_16BE, GSM_7)  # bits 3 and 2; 11 is reserved
_MESSAGE_CLASS: Final = 0xF0
_WAITING_UCS2: Final = 0xE0


def charset_from_data_coding(data_coding: int, *, alphabet: str) -> tuple[str, bool]:
    """The charset of a data_coding from 0 to 255, and whether that value is an expected one.

    "Any reserved codings shall be assumed to be the GSM 7 bit default alphabet" (clause 4). The
    default alphabet is `alphabet`, the setting of the bind, as for data_coding 0. Compressed text
    is binary.
    """
    charset = BY_SMPP.get(data_coding)
    if charset is None:
        charset = _by_23_038(data_coding)
    if charset == GSM_7:
        charset = ALPHABETS.get(alphabet, GSM_7)
    return charset, _is_expected(data_coding)


def _by_23_038(data_coding: int) -> str:
    group = data_coding & 0xF0
    if data_coding < 0x80:  # general, and marked for automatic deletion
        return EIGHT_BIT if data_coding & _COMPRESSED else _ALPHABETS[data_coding >> 2 & 3]
    if group == _MESSAGE_CLASS:
        return EIGHT_BIT if data_coding & 0x04 else GSM_7
    return UTF_16BE if group == _WAITING_UCS2 else GSM_7


def _is_expected(data_coding: int) -> bool:
    if data_coding < 0x10:  # 5.2.19 gives 5 to 7, 9, 10, 13 and 14 other meanings than 23.038
        return data_coding == 0 or data_coding in BY_SMPP
    if data_coding < 0x80:
        return data_coding & 0x0C != 0x0C
    if data_coding < 0xC0:  # reserved coding groups
        return False
    if data_coding >= _MESSAGE_CLASS:
        return not data_coding & 0x08
    return not data_coding & 0x04
