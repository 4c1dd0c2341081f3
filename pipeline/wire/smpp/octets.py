"""C-octet strings of SMPP 3.4 (3.1): octets up to a NUL, read as ISO-8859-1 without loss."""

from __future__ import annotations


def c_string(text: str) -> bytes:
    """The octets of `text`, with a NUL at the end."""
    return text.encode("latin-1") + b"\0"


def c_string_at(octets: bytes, at: int) -> tuple[str, int] | None:
    """The text that begins at `at`, and the place of the next field; None without a NUL."""
    end = octets.find(b"\0", at)
    return None if end < 0 else (octets[at:end].decode("latin-1"), end + 1)


class Reader:
    """Takes fields from the front. `failed` is true after the octets were too few for a field."""

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self.at = 0
        self.failed = False

    def text(self) -> str:
        found = c_string_at(self.octets, self.at)
        if found is None:
            self.failed = True
            return ""
        text, self.at = found
        return text

    def next_octets(self, count: int) -> bytes:
        taken = self.octets[self.at : self.at + count]
        self.failed = self.failed or len(taken) < count
        self.at += count
        return taken.ljust(count, b"\0")
