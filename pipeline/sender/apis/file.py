"""Reads `apis.toml`; an error names the line and the field, and shows no password."""

from __future__ import annotations

import os
import stat
import tomllib
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipeline.process.mounted import is_mounted
from pipeline.process.peer_words import keep_secret
from pipeline.sender.apis.addresses import HIGHEST_PORT, fault_of_url, is_host
from pipeline.sender.apis.api import WINDOWS, Api, WayName
from pipeline.stages.sending.rules import LONGEST_CALL

if TYPE_CHECKING:
    from pipeline.settings import Settings

FILE: Final = "apis.toml"
_BY_URL: Final = (WayName.HTTP, WayName.XML, WayName.SOAP)
_NAMES: Final = {field.name for field in fields(Api)} - {
    "is_default",
    "password",
    "login_password",
}
_CHOICES: Final = {
    "tls": ("on", "off", "plain"),
    "alphabet": ("gsm7", "latin1"),
    "temporary": ("suffix", "folder", "none"),
}
_MOST: Final = 1_000_000  # any number of the file
_LONGEST: Final = 1_000  # characters of any text
#: tomllib takes time by the square of a key's dots.
_MOST_OCTETS: Final = 64 * 1024
_LONGEST_LINE: Final = 2_000
_PORTS: Final = {WayName.SMPP: 2775, WayName.SMTP: 25, WayName.FTP: 21}


class ApisError(ValueError):
    """The file cannot be used; the message says where and why, and holds no secret."""


def apis_file(settings: Settings) -> Path:
    """The path of the file: the setting `apis`, else a file in the home."""
    return Path(settings.apis) if settings.apis else settings.home / FILE


def apis_from_file(path: Path) -> list[Api]:
    """Every API of the file; raises `ApisError`. Logs mask their passwords from now on."""
    try:
        mode = path.stat().st_mode
        octets = path.read_bytes()
        is_for_us = is_mounted(path)
    except OSError as error:
        raise ApisError(f"{path}: {error.strerror}") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO) and not is_for_us:
        raise ApisError(f"{path} is open to others: chmod 600 {path}")
    if len(octets) > _MOST_OCTETS or max(map(len, octets.split(b"\n"))) > _LONGEST_LINE:
        words = f"at most {_MOST_OCTETS:,} octets in lines of at most {_LONGEST_LINE:,} are read"
        raise ApisError(f"{path}: {words}")
    try:
        document = tomllib.loads(octets.decode())
    except (ValueError, RecursionError) as error:
        raise ApisError(f"{path}: {_without_text(error)}") from None
    apis = apis_from_toml(document, path=path)
    keep_secret(each for api in apis for each in (api.password, api.login_password))
    return apis


def _without_text(error: Exception) -> str:
    match error:
        case UnicodeDecodeError():
            return "it is not UTF-8"
        case tomllib.TOMLDecodeError():
            return str(error)
    return "it is no TOML that can be read"


def apis_from_toml(document: dict[str, Any], *, path: Path) -> list[Api]:
    """Every API of a document; raises `ApisError` with the number of the table and the field."""
    unknown = set(document) - {"api"}
    if unknown:
        raise ApisError(f"{path}: unknown {', '.join(sorted(unknown))}; APIs are [[api]] tables")
    tables = document.get("api", [])
    if not isinstance(tables, list) or not tables:
        raise ApisError(f"{path}: there is no [[api]]")
    apis = [_api(table, f"{path}, api {at}", path) for at, table in enumerate(tables, start=1)]
    ids = [api.api_id for api in apis]
    for api in apis:
        if ids.count(api.api_id) > 1:
            raise ApisError(f"{path}: api_id {api.api_id} is there twice")
        if api.query_by:
            _check_query_by(api, apis, f"{path}: query_by of {api.api_id}")
    if sum(api.is_default for api in apis) > 1:
        raise ApisError(f"{path}: more than one API is the default")
    return apis


def _check_query_by(api: Api, apis: list[Api], where: str) -> None:
    """Refuse an API whose messages have no cliMsgId, by which the gateway is asked about them.

    A message without cliMsgId would not be found, and would be sent again although it had arrived.
    """
    asked = next((one for one in apis if one.api_id == api.query_by), None)
    if asked is None:
        raise ApisError(f"{where} names no API of the file")
    if asked.way not in _BY_URL:
        raise ApisError(f"{where} names an API by {asked.way}, which answers no question")
    if api.way is WayName.SMPP:
        raise ApisError(f"{where}: by SMPP no cliMsgId goes along, so nobody can be asked")


def default_of(apis: list[Api]) -> str:
    """The api_id for commands that name none: of the default API, or of the only one, or empty."""
    marked = next((api.api_id for api in apis if api.is_default), "")
    return marked or (apis[0].api_id if len(apis) == 1 else "")


def _api(table: object, where: str, path: Path) -> Api:
    if not isinstance(table, dict):
        raise ApisError(f"{where}: it is no table")
    given = dict(table)
    is_default = given.pop("default", False)
    password = _password("password", given, where, path)
    login_password = _password("login_password", given, where, path)
    unknown = set(given) - _NAMES
    if unknown:
        raise ApisError(f"{where}: unknown {', '.join(sorted(unknown))}")
    for field in fields(Api):
        if field.name in given:
            given[field.name] = _value(given[field.name], field.name, str(field.type), where)
    if not given.get("api_id"):
        raise ApisError(f"{where}: api_id is missing")
    try:
        given["way"] = WayName(given.get("way", ""))
    except ValueError:
        ways = ", ".join(way.value for way in WayName)
        raise ApisError(f"{where}: way is none of {ways}") from None
    for name, allowed in _CHOICES.items():
        if given.get(name, allowed[0]) not in allowed:
            raise ApisError(f"{where}: {name} is none of {', '.join(allowed)}")
    api = Api(
        **given,
        password=password,
        login_password=login_password,
        is_default=is_default is True,
    )
    return _checked(api, where)


def _password(name: str, given: dict[str, Any], where: str, path: Path) -> str:
    """Read the password from the place that one of the three fields names."""
    from_file, from_environment = f"{name}_file", f"{name}_env"
    named = [each for each in (name, from_file, from_environment) if each in given]
    if len(named) > 1:
        raise ApisError(f"{where}: of {' and '.join(named)} set one")
    if not named:
        return ""
    value = given.pop(named[0])
    if not isinstance(value, str) or not value:
        raise ApisError(f"{where}: {named[0]} must be a text")
    if named[0] == name:
        return value
    if named[0] == from_environment:
        if value not in os.environ:
            raise ApisError(f"{where}: {from_environment} names no environment variable")
        return os.environ[value]
    try:
        return (path.parent / value).read_text().rstrip("\r\n")
    except (OSError, ValueError) as error:
        words = f"{from_file} cannot be read: {type(error).__name__}"
        raise ApisError(f"{where}: {words}") from None


def _value(value: object, name: str, kind: str, where: str) -> object:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    most = 10**18 if name == "api_id" else _MOST
    if is_number and not -most <= value <= most:  # type: ignore[operator]
        raise ApisError(f"{where}: {name} must be at most {most:,}")
    if is_number and kind == "float":
        value = float(value)  # type: ignore[arg-type]
    wanted = {"str": str, "WayName": str, "int": int, "float": float, "bool": bool}[kind]
    if name == "api_id" and is_number and isinstance(value, int):
        value = str(value)
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise ApisError(f"{where}: {name} must be {_words_of(wanted)}")
    if isinstance(value, (int, float)) and value < 0:
        raise ApisError(f"{where}: {name} must not be negative")
    if isinstance(value, str):
        _check_text(value, name, where)
    return value


def _check_text(text: str, name: str, where: str) -> None:
    if not text.isprintable() or len(text) > _LONGEST:
        raise ApisError(f"{where}: {name} must be printable, and at most {_LONGEST:,} characters")


def _words_of(kind: type) -> str:
    return {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}[kind]


def _checked(api: Api, where: str) -> Api:
    """Check an API, and fill in the defaults of its way; raises `ApisError`."""
    if api.way in _BY_URL:
        if fault := fault_of_url(api.url):
            raise ApisError(f"{where}: url {fault}")
    elif not api.host:
        raise ApisError(f"{where}: host is missing")
    elif not is_host(api.host):
        raise ApisError(f"{where}: host is no name and no address")
    if api.port > HIGHEST_PORT:
        raise ApisError(f"{where}: port must be at most {HIGHEST_PORT}")
    for name in ("password", "login_password"):
        _check_text(getattr(api, name), name, where)
    if not api.user or not api.password:
        raise ApisError(f"{where}: user and password (or password_file, password_env) are needed")
    if not 0 < api.timeout_seconds <= LONGEST_CALL.total_seconds():
        most = LONGEST_CALL.total_seconds()
        raise ApisError(f"{where}: timeout_seconds must be above 0 and at most {most:.0f}")
    if not 0 <= api.callback <= 7:
        raise ApisError(f"{where}: callback must be 0 to 7")
    if api.way is WayName.SMTP and not api.mail_to:
        raise ApisError(f"{where}: mail_to is missing")
    return replace(
        api,
        window=api.window or WINDOWS[api.way],
        port=api.port or _PORTS.get(api.way, 0),
    )
