"""Addresses of handsets and numbers: digits, or an alphanumeric originator unchanged."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Country code and number without the leading zero (G11, "Destination address"), at most 15 digits
# (ITU-T E.164 6.1).
_FEWEST_DIGITS: Final = 8
_MOST_DIGITS: Final = 15
_FULL_WIDTH: Final = {0xFF0B: "+"} | {0xFF10 + digit: str(digit) for digit in range(10)}
#: Unicode categories of the characters that people write between digits (ITU-T E.123 5) or copy
#: with them: blanks, hyphens and dashes, and invisible characters.
_BETWEEN: Final = ("Zs", "Pd", "Cf")
_DECIMAL: Final = re.compile(r"[+0-9][0-9]*\.(0+|[0-9])")  # a spreadsheet's 447700900001.0

CANNOT_BE_SENT_TO: Final = (
    "cannot be sent to: write the country code and the number, 8 to 15 digits, the first not 0,"
    " such as +44 7700 900001"
)


def written_digits(text: str) -> str:
    """The digits of an address as people write it, after a `+` when it began with `+` or `00`.

    Blanks, hyphens, dots and parentheses are dropped. Full-width digits count as digits. The result
    is empty when `text` is not an address, or when its digits are not certain: a number with `(0)`,
    which people dial only inside the country, or a decimal number of a spreadsheet.
    """
    text = text.translate(_FULL_WIDTH).strip()
    if _DECIMAL.fullmatch(text):
        return ""
    kept = "".join(c for c in text if unicodedata.category(c) not in _BETWEEN)
    if "(0)" in kept:
        return ""
    kept = kept.translate({ord(c): "" for c in ".()"})
    plus, digits = kept[:1] == "+", kept.removeprefix("+")
    if not is_digits(digits):
        return ""
    if not plus and digits.startswith("00"):
        plus, digits = True, digits[2:]
    return f"+{digits}" if plus else digits


def handset_from_text(text: str) -> str:
    """The digits of a handset as people write it; empty when no MT can be sent to it."""
    digits = written_digits(text).removeprefix("+")
    return digits if is_international(digits) else ""


def is_international(digits: str) -> bool:
    """Whether an MT can be sent to `digits`: 8 to 15 digits, country code first, no leading 0."""
    return _FEWEST_DIGITS <= len(digits) <= _MOST_DIGITS and digits[0] != "0" and is_digits(digits)


def address_from_text(text: str) -> str:
    """The digits after one optional leading `+`; `text` trimmed when it is not such an address.

    A blank may stand in place of the `+`: percent-decoding turns a `+` into a blank. This function
    checks no length and no prefix, so short codes stay unchanged.
    """
    if text.isdigit() and text.isascii():
        return text
    trimmed = text.strip()
    digits = trimmed[1:] if trimmed.startswith("+") else trimmed
    return digits if is_digits(digits) else trimmed


def is_digits(address: str) -> bool:
    """Whether `address` has at least one character, and all are ASCII digits."""
    return address.isdigit() and address.isascii()


def key_from_handset(handset: str) -> bytes:
    """The key of every record of a handset."""
    return handset.encode()
