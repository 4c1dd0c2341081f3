"""Seals handsets and ids, so that who may not see them can still tell them apart and name them.

A seal is the words under AES-SIV (RFC 5297) with a key of the home. It is the same each time, so
the rows of one person are told apart. Only the store opens it, and it knows a seal that is not its
own, so nobody can try handsets.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

#: A seal begins so, and no handset, id or name of ours does.
MARK: Final = "~"
_SEALED: Final = re.compile(r"~[A-Za-z0-9_-]{43,1024}")
#: Sealed words fill whole blocks of so many octets, so that their length tells little.
_BLOCK: Final = 16
_BOUND_TO: Final = [b"twoway report"]
_CHARACTERS_SHOWN: Final = 8


class NotSealed(ValueError):
    """These words are no seal of this home."""


class Seal:
    """Seals and opens words by one key, of 64 octets: two keys of AES-256 (RFC 5297 2.2)."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESSIV(key)
        self.sealed = lru_cache(maxsize=4_096)(self._sealed)

    def _sealed(self, words: str) -> str:
        octets = words.encode("utf-8", "surrogatepass")
        octets += bytes(-len(octets) % _BLOCK)
        closed = self._cipher.encrypt(octets, _BOUND_TO)
        return MARK + urlsafe_b64encode(closed).decode().rstrip("=")

    def unsealed(self, sealed: str) -> str:
        """The words; raises `NotSealed`."""
        if not is_sealed(sealed):
            raise NotSealed
        encoded = sealed.removeprefix(MARK)
        octets = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        if urlsafe_b64encode(octets).decode().rstrip("=") != encoded:
            raise NotSealed  # another spelling of the same octets (RFC 4648 3.5)
        try:
            words = self._cipher.decrypt(octets, _BOUND_TO)
        except InvalidTag:
            raise NotSealed from None
        return words.rstrip(b"\0").decode("utf-8", "surrogatepass")


def is_sealed(words: str) -> bool:
    """Whether words look like a seal."""
    return _SEALED.fullmatch(words) is not None


def short_seal(sealed: str) -> str:
    """As much of a seal as tells two people apart on a page."""
    return f"••• {sealed[1 : 1 + _CHARACTERS_SHOWN]}"
