"""C-octet strings of SMPP 3.4 (3.1): octets up to a NUL. As text they are ISO-8859-1, unharmed."""

from __future__ import annotations


def c_string(text: str) -> bytes:
    """The octets of `text`, ended."""
    return text.encode("latin-1") + b"\0"


def c_string_at(octets: bytes, at: int) -> tuple[str, int] | None:
    """The text that begins at `at` and where the next field does; None: it has no end."""
    end = octets.find(b"\0", at)
    return None if end < 0 else (octets[at:end].decode("latin-1"), end + 1)
