"""Where the value of a setting comes from: the first of these places that gives one.

The command line, a line of secrets_file, `TWOWAY_X`, a line of `HOME/settings.toml`. In each of
them `x_file` in place of `x` names a file that holds the value, if `x` is a secret.
"""

from __future__ import annotations

import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

PREFIX: Final = "TWOWAY_"
SETTINGS_FILE: Final = "settings.toml"
SECRETS_FILE: Final = "secrets_file"
OF_A_FILE: Final = "_file"

#: The value of each setting, and its origin in words.
Given = dict[str, tuple[Any, str]]


class SettingsError(ValueError):
    """A setting is unknown or cannot be read; the message names the setting and its origin."""


def given_values(
    kinds: Mapping[str, str],
    *,
    secrets: Collection[str],
    home: Path,
    environment: Mapping[str, str],
    command_line: Mapping[str, Any],
) -> dict[str, Any]:
    """The values that are given, in the types `kinds` of the settings; raises `SettingsError`.

    `home` is the home if none is given.
    """
    from_environment: Given = {
        name[len(PREFIX) :].lower(): (text, name)
        for name, text in environment.items()
        if name.startswith(PREFIX)
    }
    flags: Given = {
        name: (value, f"--{name.replace('_', '-')}")
        for name, value in command_line.items()
        if value is not None
    }
    places = [from_environment, flags]
    file = Path({**from_environment, **flags}.get("home", (home, ""))[0]) / SETTINGS_FILE
    if file.is_file():
        places.insert(0, _settings_in(file.read_text(), str(file)))
    named = [place[SECRETS_FILE][0] for place in places if SECRETS_FILE in place]
    if named and named[-1]:
        words = _settings_in(_secret_lines(str(named[-1])), f"secrets_file {named[-1]}")
        places.insert(-1, words)
    given: Given = {}
    for place in places:
        given |= _with_files_read(place, secrets=secrets)
    for name, (_, origin) in given.items():
        if name not in kinds:
            raise SettingsError(f"{origin}: there is no setting {name!r}")
    return {
        name: _value_from_text(name, kinds[name], value, origin)
        for name, (value, origin) in given.items()
    }


def _with_files_read(place: Given, *, secrets: Collection[str]) -> Given:
    """The settings of one place, with the content of the file for each secret given as a file."""
    read: Given = {}
    for name, (value, origin) in place.items():
        secret = name.removesuffix(OF_A_FILE)
        if secret == name or secret not in secrets:
            read[name] = value, origin
            continue
        if not value:  # as a variable that Compose leaves empty
            continue
        if place.get(secret, ("",))[0]:
            raise SettingsError(f"{origin}: {secret} and {name} are both given: leave one out")
        read[secret] = _content(str(value), origin), f"{origin} {value}"
    return read


def _content(file: str, origin: str) -> str:
    """The text of a file without the line end that an editor leaves."""
    try:
        return Path(file).read_text().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        words = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsError(f"{origin}: {file}: {words}") from error


def _value_from_text(name: str, kind: str, text: Any, origin: str) -> Any:
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


def _secret_lines(secrets_file: str) -> str:
    if secrets_file == "-":
        return _standard_input()
    try:
        return Path(secrets_file).read_text()
    except OSError as error:
        raise SettingsError(f"secrets_file {secrets_file}: {error.strerror}") from error


def _settings_in(text: str, origin: str) -> Given:
    """The value and the origin of each setting in `text`, by name; raises `SettingsError`."""
    try:
        return {name: (value, origin) for name, value in tomllib.loads(text).items()}
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{origin}: {error}") from error
