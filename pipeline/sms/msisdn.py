"""Addresses of handsets and numbers: digits, or an alphanumeric originator as it stands."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Country code and number without the leading zero (G11, "Destination address"), at most 15 digits
# (ITU-T E.164 6.1).
_FEWEST_DIGITS: Final = 8
_MOST_DIGITS: Final = 15
_FULL_WIDTH: Final = {0xFF0B: "+"} | {0xFF10 + digit: str(digit) for digit in range(10)}
#: What people write between the digits (ITU-T E.123 5), and what comes along when they copy:
#: blanks, hyphens and dashes, and characters that cannot be seen.
_BETWEEN: Final = ("Zs", "Pd", "Cf")
_DECIMAL: Final = re.compile(r"[+0-9][0-9]*\.(0+|[0-9])")  # a spreadsheet's 447700900001.0

CANNOT_BE_SENT_TO: Final = (
    "cannot be sent to: write the country code and the number, 8 to 15 digits, the first not 0,"
    " such as +44 7700 900001"
)


def written_digits(text: str) -> str:
    """The digits of an address as people write it, behind a `+` where there was one or a `00`.

    Blanks, hyphens, dots and parentheses are passed over, full-width digits count. Empty: it is
    none, or cannot be told for sure, as `(0)`, which is dialled inside the country alone.
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
    """The digits of a handset as people write it; empty: no MT can be sent to it."""
    digits = written_digits(text).removeprefix("+")
    return digits if is_international(digits) else ""


def is_international(digits: str) -> bool:
    """Whether an MT can be sent there: country code and number, 8 to 15 digits, the first not 0."""
    return _FEWEST_DIGITS <= len(digits) <= _MOST_DIGITS and digits[0] != "0" and is_digits(digits)


def address_from_text(text: str) -> str:
    """The digits after one optional leading `+` (or the blank it decodes to), else `text` trimmed.

    No lengths and no prefixes are judged: short codes stay as they are.
    """
    if text.isdigit() and text.isascii():
        return text
    trimmed = text.strip()
    digits = trimmed[1:] if trimmed.startswith("+") else trimmed
    return digits if is_digits(digits) else trimmed


def is_digits(address: str) -> bool:
    """Whether `address` is ASCII digits only, and at least one."""
    return address.isdigit() and address.isascii()


def key_from_handset(handset: str) -> bytes:
    """The key of every record of a handset."""
    return handset.encode()
