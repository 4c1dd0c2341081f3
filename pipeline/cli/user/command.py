"""`user`: who may sign in to the report. A password comes from the terminal or standard input."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.terminal.failure import CommandError
from pipeline.cli.terminal.options import Home, Json, settings_from
from pipeline.cli.terminal.output import print_json_line
from pipeline.cli.terminal.saying import say

if TYPE_CHECKING:
    from pipeline.store.report.caller import Right
    from pipeline.store.report.who.users_file import User

UserName = Annotated[str, typer.Argument(metavar="NAME", help="The user's name.")]
Rights = Annotated[
    list[str] | None,
    typer.Option(
        "--right",
        metavar="RIGHT",
        help="numbers, texts, download, decide, sql or accounts; repeatable.",
    ),
]


def add_user(name: UserName, rights: Rights = None, home: Home = None) -> None:
    """Add a user of the report.

    The password is asked for twice, or is the first line of standard input. Without a right the
    user sees lists with handsets and texts masked.
    """
    from pipeline.store.report.who.users_file import USER_NAME, User

    file, users = _users(home)
    if not USER_NAME.fullmatch(name):
        raise CommandError("a name has 1 to 64 letters, digits, points, hyphens or @")
    if name.casefold() in map(str.casefold, users):
        raise CommandError(f"there is a user {name}: `twoway user rights` or `user password`")
    given = _rights(rights or [])
    users[name] = User(name=name, password=_hash_of_new_password(), rights=given)
    _write(file, users)
    say(f"{name} may {_words(given)}")


def set_rights(name: UserName, rights: Rights = None, home: Home = None) -> None:
    """Say what a user may, in place of what the user might before."""
    from msgspec.structs import replace

    file, users = _users(home)
    users[name] = replace(_known(users, name), rights=_rights(rights or []))
    _write(file, users)
    say(f"{name} may {_words(users[name].rights)}")


def set_password(name: UserName, home: Home = None) -> None:
    """Give a user another password; the user's sessions end.

    It is asked for twice, or is the first line of standard input.
    """
    from msgspec.structs import replace

    file, users = _users(home)
    known = _known(users, name)
    users[name] = replace(known, password=_hash_of_new_password())
    _write(file, users)
    say(f"{name} has another password")


def remove_user(name: UserName, home: Home = None) -> None:
    """Remove a user; the user's sessions end.

    Without any user nobody signs in by a password. To open the report to this machine again, stop
    the store, remove users.toml and start the store.
    """
    file, users = _users(home)
    del users[_known(users, name).name]
    _write(file, users)
    say(f"{name} is removed")


def list_users(json: Json = False, home: Home = None) -> None:
    """List the users of the report and what each may."""
    _, users = _users(home)
    for user in users.values():
        if json:
            print_json_line({"name": user.name, "rights": sorted(user.rights)})
        else:
            say(f"{user.name}: {_words(user.rights)}")
    if not users and not json:
        say("there are no users")


def _users(home: Path | None) -> "tuple[Path, dict[str, User]]":
    from pipeline.store.report.who.users_file import USERS_FILE, UsersError, users_from_file

    file = settings_from(home=home).home / USERS_FILE
    try:
        return file, users_from_file(file) or {}
    except UsersError as error:
        raise CommandError(str(error)) from error


def _known(users: "dict[str, User]", name: str) -> "User":
    if name not in users:
        raise CommandError(f"there is no user {name}; there are {', '.join(users) or 'none'}")
    return users[name]


def _write(file: Path, users: "dict[str, User]") -> None:
    from pipeline.store.report.who.users_file import write_users

    try:
        write_users(file, users.values())
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error


def _rights(given: list[str]) -> "frozenset[Right]":
    from pipeline.store.report.caller import Right

    if unknown := sorted(set(given) - set(Right)):
        raise CommandError(f"--right {', '.join(unknown)}: the rights are {', '.join(Right)}")
    return frozenset(map(Right, given))


def _words(rights: "frozenset[Right]") -> str:
    return ", ".join(sorted(rights)) or "see lists, with handsets and texts masked"


def _hash_of_new_password() -> str:
    from pipeline.store.report.who.password import BadPassword, hash_from_password

    if sys.stdin.isatty():
        from getpass import getpass

        password = getpass("Password: ")
        if getpass("Again: ") != password:
            raise CommandError("the two passwords differ")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    try:
        return hash_from_password(password)
    except BadPassword as error:
        raise CommandError(str(error)) from error
