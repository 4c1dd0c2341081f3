"""Addresses of handsets and numbers: digits, or an alphanumeric originator as it stands."""

from __future__ import annotations


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


def is_international(digits: str) -> bool:
    """Whether digits have a country code: 8 to 15, the first not 0 (G11, ITU-T E.164 6.1)."""
    return 8 <= len(digits) <= 15 and digits[0] != "0"


def key_from_handset(handset: str) -> bytes:
    """The key of every record of a handset."""
    return handset.encode()
