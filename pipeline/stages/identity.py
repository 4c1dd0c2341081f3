"""Ids that follow from what they are of, so that a replay gives them again."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

# Most words are shorter than this; to make four octets of a length takes as long as to hash them.
_LENGTHS: Final = [length.to_bytes(4, "big") for length in range(256)]


def derived_id(*words: str) -> str:
    """32 hex digits that only these words give (blake2b, 128 bits)."""
    pieces: list[bytes] = []
    for word in words:
        octets = word.encode() if word.isascii() else word.encode("utf-8", "surrogatepass")
        length = len(octets)
        pieces.append(_LENGTHS[length] if length < 256 else length.to_bytes(4, "big"))
        pieces.append(octets)
    return blake2b(b"".join(pieces), digest_size=16).hexdigest()
