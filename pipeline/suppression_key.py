"""The key of the suppressions, that is, of the stops of forgotten handsets, in its own file.

Without the key nobody can tell to which handset a suppression belongs. If the key is lost, these
stops are lost. So the key is made once, no other user may read it, and it is backed up apart from
the data.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.process.mounted import is_mounted
from pipeline.wrong_deploy import NeedsOperator

if TYPE_CHECKING:
    from pipeline.settings import Settings

SUFFIX: Final = ".suppression-key"
_OCTETS: Final = 32
_HEX: Final = re.compile(r"[0-9a-f]{64}")
_OTHERS: Final = 0o077


class SuppressionKeyError(NeedsOperator):
    """The key is missing, is not the key that was used, or other users can read it."""


class SuppressionKey:
    """Computes the suppression of a handset: HMAC-SHA256 of its digits (RFC 2104, FIPS 180-4)."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def of(self, handset: str) -> bytes:
        """The suppression of a handset, 32 octets."""
        return hmac.digest(self._octets, handset.encode(), "sha256")

    @property
    def fingerprint(self) -> bytes:
        """8 octets that identify the key without revealing it."""
        return hmac.digest(self._octets, b"\x00fingerprint", hashlib.sha256)[:8]


def key_file(settings: Settings) -> Path:
    """The file of the key: as the setting says, or beside the home (not in it)."""
    if settings.suppression_key:
        return Path(settings.suppression_key)
    home = settings.home.absolute()
    return home.with_name(home.name + SUFFIX)


def read_key(file: Path) -> SuppressionKey | None:
    """The key in a file; None when there is no file. Raises `SuppressionKeyError`."""
    try:
        with file.open("r", encoding="ascii") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            text = opened.read(_OCTETS * 2 + 2).strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise SuppressionKeyError(f"the suppression key {file} cannot be read: {error}") from error
    if mode & _OTHERS and not is_mounted(file):
        raise SuppressionKeyError(
            f"other users may read the suppression key {file}: chmod 600 it, and find out who may"
            " have read it"
        )
    if not _HEX.fullmatch(text):
        raise SuppressionKeyError(f"{file} is not a suppression key: a key is 64 hex digits")
    return SuppressionKey(bytes.fromhex(text))


def make_key(file: Path) -> SuppressionKey:
    """A new key in a new file that only its owner can read; raises `FileExistsError`."""
    octets = secrets.token_bytes(_OCTETS)
    file.parent.mkdir(parents=True, exist_ok=True)
    number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(number, "w", encoding="ascii") as opened:
        opened.write(octets.hex() + "\n")
        opened.flush()
        os.fsync(opened.fileno())
    return SuppressionKey(octets)
