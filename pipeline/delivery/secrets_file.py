"""Reads `reply-secrets.toml`: the keys and logins of the reply paths. Only `deliver` reads it."""

from __future__ import annotations

import os
import stat
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipeline.process.mounted import is_mounted
from pipeline.process.peer_words import keep_secret
from pipeline.wire.webhook import key_from_secret

if TYPE_CHECKING:
    from pipeline.settings import Settings

FILE: Final = "reply-secrets.toml"
_FIELDS: Final = frozenset(("secrets", "user", "password", "password_file", "password_env"))


class SecretsError(ValueError):
    """The file cannot be used; the message says where and why, and holds no secret."""


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """The keys that a path signs with, in the order of the file, and its login."""

    keys: tuple[bytes, ...] = ()
    user: str = ""
    password: str = ""


NONE: Final = Credentials()


def reply_secrets_file(settings: Settings) -> Path:
    """The path of the file: the setting `reply_secrets_file`, else a file in the home."""
    return (
        Path(settings.reply_secrets_file) if settings.reply_secrets_file else settings.home / FILE
    )


def credentials_from_file(path: Path, *, must_be_there: bool) -> dict[str, Credentials]:
    """The credentials of each path, by name; raises `SecretsError`. Logs mask them from now on.

    Without the file the result is empty, or an error if `must_be_there`.
    """
    if not must_be_there and not path.exists():
        return {}
    try:
        mode = path.stat().st_mode
        octets = path.read_bytes()
    except OSError as error:
        raise SecretsError(f"{path}: {error.strerror}") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO) and not is_mounted(path):
        raise SecretsError(f"{path} is open to others: chmod 600 {path}")
    try:
        document = tomllib.loads(octets.decode())
    except UnicodeDecodeError:
        raise SecretsError(f"{path}: it is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise SecretsError(f"{path}: {error}") from None
    return {name: _credentials(table, f"{path}: {name}", path) for name, table in document.items()}


def _credentials(table: object, where: str, path: Path) -> Credentials:
    if not isinstance(table, dict):
        raise SecretsError(f"{where}: must be a table, [NAME of the reply path]")
    unknown = set(table) - _FIELDS
    if unknown:
        raise SecretsError(f"{where}: unknown {', '.join(sorted(unknown))}")
    secrets = table.get("secrets", [])
    if not isinstance(secrets, list) or not all(isinstance(each, str) for each in secrets):
        raise SecretsError(f"{where}: secrets must be a list of texts in quotes")
    keep_secret(secrets)
    try:
        keys = tuple(key_from_secret(each) for each in secrets)
    except ValueError as error:
        raise SecretsError(f"{where}: {error}") from None
    user = table.get("user", "")
    if not isinstance(user, str):
        raise SecretsError(f"{where}: user must be a text")
    password = _password(table, where, path)
    keep_secret([password])
    if bool(user) != bool(password):
        raise SecretsError(f"{where}: user and password belong together")
    return Credentials(keys=keys, user=user, password=password)


def _password(table: dict[str, Any], where: str, path: Path) -> str:
    """Read the password from the place that one of the three fields names."""
    given = [each for each in ("password", "password_file", "password_env") if each in table]
    if len(given) > 1:
        raise SecretsError(f"{where}: of {' and '.join(given)} set one")
    if not given:
        return ""
    value = table[given[0]]
    if not isinstance(value, str) or not value:
        raise SecretsError(f"{where}: {given[0]} must be a text")
    if given[0] == "password":
        return value
    if given[0] == "password_env":
        if value not in os.environ:
            raise SecretsError(f"{where}: there is no environment variable {value}")
        return os.environ[value]
    try:
        return (path.parent / value).read_text().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        words = f"password_file cannot be read: {type(error).__name__}"
        raise SecretsError(f"{where}: {words}") from None
