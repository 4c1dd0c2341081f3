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


def key_from_handset(handset: str) -> bytes:
    """The key of every record of a handset."""
    return handset.encode()
