"""`users.toml` of the home: who may sign in to the report, and what each may.

[[user]]
name = "anna"
password = "scrypt$15$8$1$…"
rights = ["numbers", "texts", "download"]
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from typing import TYPE_CHECKING, Any, Final

import msgspec

from pipeline.directory.checker import TomlChecker
from pipeline.store.report.caller import Right
from pipeline.store.report.who.password import is_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

USERS_FILE: Final = "users.toml"
USER_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_FIELDS: Final = frozenset(("name", "password", "rights"))
#: tomllib takes time by the square of a key's dots.
_MOST_OCTETS: Final = 1 << 20
_LONGEST_LINE: Final = 2_000
_AT_LINE: Final = re.compile(r" ?\(at line (\d+), column \d+\)| ?\(at end of document\)")
_HEAD: Final = (
    "# Who may sign in to the report: `twoway user` writes it, and the report reads each change.\n"
    "# Rights: {rights}.\n"
)


class UsersError(ValueError):
    """The file cannot be used; each line of the words names a line and a field, and no secret."""


class User(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may sign in."""

    name: str
    password: str  # its hash
    rights: frozenset[Right]


def users_from_file(file: Path) -> dict[str, User] | None:
    """The users by name; None where there is no file. Raises `UsersError`."""
    try:
        with file.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            octets = opened.read(_MOST_OCTETS + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsersError(f"{file}: {error.strerror}") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UsersError(f"{file} is open to others: chmod 600 {file}")
    if len(octets) > _MOST_OCTETS or max(map(len, octets.split(b"\n"))) > _LONGEST_LINE:
        words = f"at most {_MOST_OCTETS:,} octets in lines of at most {_LONGEST_LINE:,} are read"
        raise UsersError(f"{file}: {words}")
    try:
        text = octets.decode()
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise UsersError(f"{file}:{line}: it is not UTF-8") from None
    return users_from_toml(text, origin=str(file))


def users_from_toml(text: str, *, origin: str) -> dict[str, User]:
    """The users in `text` by name. Raises `UsersError` with every mistake."""
    try:
        given = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found = _AT_LINE.search(str(error))
        line = found[1] if found and found[1] else text.count("\n") + 1
        words = _AT_LINE.sub("", str(error)).strip()
        raise UsersError(f"{origin}:{line}: {words}") from None
    checker = TomlChecker(text, origin)
    checker.unknown(given, (), frozenset(("user",)))
    tables = given.get("user", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        checker.mistake(("user",), "must be tables, each under its own [[user]]")
        tables = []
    users = [_user(checker, table, at) for at, table in enumerate(tables)]
    known: set[str] = set()
    for at, user in enumerate(users):
        if user.name.casefold() in known:
            checker.mistake(("user", at, "name"), "is there twice")
        known.add(user.name.casefold())
    if checker.mistakes:
        raise UsersError("\n".join(words for _, words in sorted(checker.mistakes)))
    return {user.name: user for user in users}


def _user(checker: TomlChecker, table: Mapping[str, Any], at: int) -> User:
    checker.unknown(table, ("user", at), _FIELDS)
    name = checker.text(table, ("user", at, "name"))
    if not USER_NAME.fullmatch(name):
        checker.mistake(
            ("user", at, "name"), "must be 1 to 64 letters, digits, points, hyphens or @"
        )
    password = checker.text(table, ("user", at, "password"))
    if not is_hash(password):
        checker.mistake(
            ("user", at, "password"), "must be a hash: `twoway user password NAME` makes it"
        )
    rights = table.get("rights", [])
    if not isinstance(rights, list) or not all(each in list(Right) for each in rights):
        checker.mistake(("user", at, "rights"), f"must be a list of {', '.join(Right)}")
        rights = []
    return User(name=name, password=password, rights=frozenset(map(Right, rights)))


def write_users(file: Path, users: Iterable[User]) -> None:
    """Write the file in one step; nobody else may read it."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    number = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(number, "w", encoding="utf-8") as opened:
        opened.write(_HEAD.format(rights=", ".join(Right)))
        for user in sorted(users, key=lambda user: user.name):
            rights = ", ".join(f'"{right}"' for right in Right if right in user.rights)
            opened.write(
                f'\n[[user]]\nname = "{user.name}"\npassword = "{user.password}"\n'
                f"rights = [{rights}]\n"
            )
        opened.flush()
        os.fsync(opened.fileno())
    draft.replace(file)
