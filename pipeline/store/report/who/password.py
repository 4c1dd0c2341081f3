"""Passwords as hashes: scrypt (RFC 7914), with its cost and its salt beside it."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import unicodedata
from base64 import b64decode, b64encode
from functools import cache
from typing import Final

#: 32 MiB and about 0.1 s for each try.
LOG2_N: Final = 15
BLOCK_SIZE: Final = 8
PARALLEL: Final = 1
SHORTEST: Final = 12
LONGEST: Final = 256
#: `scrypt$15$8$1$salt$hash`. Larger costs than these would let a line of the file take the memory.
_HASHED: Final = re.compile(
    r"scrypt\$(1[4-9])\$(8|16)\$([1-4])\$([A-Za-z0-9+/]{22}==)\$([A-Za-z0-9+/]{43}=)"
)
_OCTETS: Final = 32


class BadPassword(ValueError):
    """A password cannot be used; the words say why, and not which it is."""


def hash_from_password(password: str) -> str:
    """The hash of a new password, under a salt of its own; raises `BadPassword`."""
    if not SHORTEST <= len(password) <= LONGEST or not password.isprintable():
        raise BadPassword(f"a password has {SHORTEST} to {LONGEST} printable characters")
    salt = secrets.token_bytes(16)
    made = _scrypt(password, salt, LOG2_N, BLOCK_SIZE, PARALLEL)
    return "$".join(
        ("scrypt", str(LOG2_N), str(BLOCK_SIZE), str(PARALLEL), _base64(salt), _base64(made))
    )


def is_hash(text: str) -> bool:
    """Whether a text is a hash that `is_password_of` reads."""
    return _HASHED.fullmatch(text) is not None


def is_password_of(hashed: str | None, password: str) -> bool:
    """Whether the hash is of this password. Without a hash it takes as long, and is not."""
    match = _HASHED.fullmatch(hashed or _hash_of_nobody())
    if match is None or len(password) > LONGEST:
        return False
    salt, made = b64decode(match[4]), b64decode(match[5])
    found = _scrypt(password, salt, *(int(each) for each in match.groups()[:3]))
    return hmac.compare_digest(found, made) and hashed is not None


@cache
def _hash_of_nobody() -> str:
    return hash_from_password(secrets.token_hex())


def _scrypt(password: str, salt: bytes, log2_n: int, block_size: int, parallel: int) -> bytes:
    spelled = unicodedata.normalize("NFC", password)  # RFC 8265 4.2.2: OpaqueString
    return hashlib.scrypt(
        spelled.encode("utf-8", "surrogatepass"),
        salt=salt,
        n=1 << log2_n,
        r=block_size,
        p=parallel,
        maxmem=(128 * block_size << log2_n) + (1 << 20) * parallel,
        dklen=_OCTETS,
    )


def _base64(octets: bytes) -> str:
    return b64encode(octets).decode()
