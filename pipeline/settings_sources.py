"""Reads settings from texts: what a line of TOML, a variable or a file of secrets gives."""

from __future__ import annotations

import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any


class SettingsError(ValueError):
    """A setting is unknown or cannot be read; the message names the setting and its origin."""


def value_from_text(name: str, kind: str, text: Any, origin: str) -> Any:
    """`text` in the type of the setting; the `SettingsError` names the setting and its origin."""
    try:
        match kind:
            case "int":
                return int(text)
            case "float":
                return float(text)
            case "Path":
                return Path(text)
            case _:
                return str(text)
    except ValueError as error:
        raise SettingsError(f"{origin}: {name} must be of type {kind}") from error


@cache
def _standard_input() -> str:
    """All of standard input. It is read once and cached, because a pipe cannot be read again."""
    return sys.stdin.read()


def secret_lines(secrets_file: str) -> str:
    if secrets_file == "-":
        return _standard_input()
    try:
        return Path(secrets_file).read_text()
    except OSError as error:
        raise SettingsError(f"secrets_file {secrets_file}: {error.strerror}") from error


def settings_in(text: str, origin: str) -> dict[str, tuple[Any, str]]:
    """The value and the origin of each setting in `text`, by name; raises `SettingsError`."""
    try:
        return {name: (value, origin) for name, value in tomllib.loads(text).items()}
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{origin}: {error}") from error
