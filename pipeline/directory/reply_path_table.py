"""One `[reply_path.NAME]` of `numbers.toml`: its fields, each with what it allows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from pipeline.records import ReplyPath, ReplyWay

if TYPE_CHECKING:
    from pipeline.directory.checker import TomlChecker
    from pipeline.directory.lines import TomlPath

WAYS: Final = tuple(way.value for way in ReplyWay)
UNITS: Final = ("message", "part")
CHARSETS: Final = ("original", "utf-8")
EVENTS: Final = ("consent", "results")
TLS: Final = ("on", "encrypt-only")
#: Attempts under way at a time, by way: a file and an FTP session write one line after the other.
WINDOW: Final = 16
_WINDOWS: Final = {ReplyWay.FTP.value: 1, ReplyWay.FILE.value: 1}
LONGEST_SECONDS: Final = 15
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_FIELDS: Final = frozenset(
    [
        "way",
        "url",
        "unit",
        "charset",
        "ordered",
        "events",
        "internal",
        "tls",
        "window",
        "timeout_seconds",
        "rotate_megabytes",
    ]
)
_BY_FILE: Final = ReplyWay.FILE.value
_SCHEMES: Final = {ReplyWay.FTP.value: ("ftp", "ftps")}


def reply_paths_from_tables(checker: TomlChecker, given: dict[str, Any]) -> list[ReplyPath]:
    """Every reply path; what is wrong with them goes to the checker's mistakes."""
    tables = given.get("reply_path", {})
    if not isinstance(tables, dict) or not all(isinstance(each, dict) for each in tables.values()):
        checker.mistake(("reply_path",), "must be tables, each under its own [reply_path.NAME]")
        return []
    return [_path_from_table(checker, name, table) for name, table in tables.items()]


def _path_from_table(checker: TomlChecker, name: str, table: dict[str, Any]) -> ReplyPath:
    path: TomlPath = ("reply_path", name)
    if not _NAME.fullmatch(name):
        checker.mistake(path, "its name must be letters, digits, - and _, at most 64")
    checker.unknown(table, path, _FIELDS)
    way = checker.text(table, (*path, "way"))
    if way not in WAYS:
        words = "must be" if "way" in table else "is missing;"
        checker.mistake((*path, "way"), f"{words} one of {', '.join(WAYS)}")
    url = checker.text(table, (*path, "url"))
    scheme = _check_url(checker, (*path, "url"), way, url)
    found = ReplyPath(
        name=name,
        way=way,
        url=url,
        unit=_choice(checker, table, (*path, "unit"), UNITS),
        charset=_choice(checker, table, (*path, "charset"), CHARSETS),
        ordered=checker.boolean(table, (*path, "ordered"), default=False),
        events=_events(checker, table, (*path, "events"), way),
        internal=checker.boolean(table, (*path, "internal"), default=False),
        tls=_choice(checker, table, (*path, "tls"), TLS),
        window=checker.whole(
            table, (*path, "window"), default=_WINDOWS.get(way, WINDOW), least=1, most=1000
        ),
        timeout_seconds=checker.whole(
            table, (*path, "timeout_seconds"), default=LONGEST_SECONDS, least=1, most=15
        ),
        rotate_megabytes=checker.whole(
            table, (*path, "rotate_megabytes"), default=0, least=0, most=1_000_000
        ),
    )
    _check_together(checker, path, table, found, scheme)
    return found


def _check_together(
    checker: TomlChecker, path: TomlPath, table: dict[str, Any], found: ReplyPath, scheme: str
) -> None:
    """Fields that one way has and another has not."""
    if found.way in _WINDOWS and found.window != 1:
        checker.mistake((*path, "window"), f"is 1 by {found.way}: a line is written after another")
    if "rotate_megabytes" in table and found.way != _BY_FILE:
        checker.mistake((*path, "rotate_megabytes"), f"is for {_BY_FILE}")
    if "internal" in table and found.way in (_BY_FILE, ReplyWay.SMPP.value):
        checker.mistake((*path, "internal"), f"is not for {found.way}: it has no host")
    if "tls" in table and scheme not in ("https", "ftps"):
        checker.mistake((*path, "tls"), "is for https:// and ftps://")
    if "charset" in table and found.way == ReplyWay.WEBHOOK.value:
        checker.mistake((*path, "charset"), "is for the guide's forms: JSON is UTF-8 always")
    if found.charset != CHARSETS[0] and found.way == ReplyWay.SMPP.value:
        checker.mistake((*path, "charset"), "is not for smpp: data_coding names no UTF-8")


def _check_url(checker: TomlChecker, path: TomlPath, way: str, url: str) -> str:
    """Check where a path leads; returns the scheme, empty for a file."""
    if way == ReplyWay.SMPP.value:
        if url:
            checker.mistake(path, "is not for smpp: the application binds to us")
        return ""
    if not url:
        checker.mistake(path, "is missing")
        return ""
    if way == _BY_FILE:
        if not url.startswith("/") or url.endswith("/") or "\0" in url:
            checker.mistake(path, "must be the whole path of a file, beginning with /")
        return ""
    allowed = _SCHEMES.get(way, ("http", "https"))
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        checker.mistake(path, "is no URL")
        return ""
    if parts.scheme not in allowed or not host:
        names = " or ".join(f"{scheme}://" for scheme in allowed)
        checker.mistake(path, f"must begin with {names} and name a host")
    elif parts.username or parts.password:
        checker.mistake(
            path, "must hold no user and no password: they belong in reply-secrets.toml"
        )
    elif parts.fragment:
        checker.mistake(path, "must hold no #: it is never sent")
    elif way == ReplyWay.FTP.value and not parts.path.strip("/"):
        checker.mistake(path, "must name the log, such as /mo.log")
    elif not url.isascii() or any(character <= " " for character in url):
        checker.mistake(path, "must be ASCII without blanks: write other characters as %XX")
    return parts.scheme


def _choice(
    checker: TomlChecker, table: dict[str, Any], path: TomlPath, choices: tuple[str, ...]
) -> str:
    value = checker.text(table, path, choices[0])
    if value not in choices:
        checker.mistake(path, f"must be one of {', '.join(choices)}")
    return value


def _events(checker: TomlChecker, table: dict[str, Any], path: TomlPath, way: str) -> list[str]:
    value = table.get("events", [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        checker.mistake(path, "must be a list of texts in quotes")
        return []
    for each in value:
        if each not in EVENTS:
            checker.mistake(path, f"{each!r} is none of {', '.join(EVENTS)}")
    if value and way != ReplyWay.WEBHOOK.value:
        checker.mistake(path, f"is for {ReplyWay.WEBHOOK.value}: the guide has no form for them")
    return list(dict.fromkeys(value))
