"""Secrets of a home that the report has: the token of the command line, and the key of the seals.

Each is a file of mode 0600 in the home, made once. The command line of whoever may read the home
shows the token to the report, as it may read the home's data anyhow. The key stays the same, so
that the address of a view with a seal stays right.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.process.peer_words import keep_secret

if TYPE_CHECKING:
    from pathlib import Path

TOKEN_FILE: Final = "report.token"  # noqa: S105  a name, and no token
KEY_FILE: Final = "report.mask-key"
_TOKEN_OCTETS: Final = 32
_KEY_OCTETS: Final = 64  # two keys of AES-256 (RFC 5297 2.2)
_HEX: Final = re.compile(r"[0-9a-f]+")


class HomeSecretsError(ValueError):
    """A file of a secret cannot be used; the words say which and why."""


class HomeSecrets(msgspec.Struct, frozen=True, kw_only=True):
    """The token of the command line and the key of the seals; an empty token lets nobody in."""

    token: str
    key: bytes


def passing_secrets() -> HomeSecrets:
    """Secrets of this process alone."""
    return HomeSecrets(token="", key=secrets.token_bytes(_KEY_OCTETS))


def secrets_of_home(home: Path) -> HomeSecrets:
    """The secrets of a home, made where they are missing; raises `HomeSecretsError`."""
    token = _kept(home / TOKEN_FILE, _TOKEN_OCTETS)
    key = _kept(home / KEY_FILE, _KEY_OCTETS)
    keep_secret((token, key))
    return HomeSecrets(token=token, key=bytes.fromhex(key))


def token_of_home(home: Path) -> str:
    """What the command line shows to the report; empty where there is no file, or not for us."""
    try:
        return _read(home / TOKEN_FILE, _TOKEN_OCTETS)
    except (OSError, HomeSecretsError):
        return ""


def _kept(file: Path, octets: int) -> str:
    try:
        try:
            return _read(file, octets)
        except FileNotFoundError:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return _made(file, octets)
    except OSError as error:
        raise HomeSecretsError(f"{file}: {error.strerror}") from error


def _made(file: Path, octets: int) -> str:
    """A new secret; another process may have made it meanwhile."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    number = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(number, "w", encoding="ascii") as opened:
        opened.write(secrets.token_hex(octets) + "\n")
        opened.flush()
        os.fsync(opened.fileno())
    try:
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return _read(file, octets)


def _read(file: Path, octets: int) -> str:
    with file.open("r", encoding="ascii", errors="replace") as opened:
        mode = os.fstat(opened.fileno()).st_mode
        text = opened.read(octets * 2 + 2).strip()
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise HomeSecretsError(f"{file} is open to others: remove it, and start the store again")
    if len(text) != octets * 2 or not _HEX.fullmatch(text):
        raise HomeSecretsError(f"{file} holds no secret of ours: remove it, and start again")
    return text
