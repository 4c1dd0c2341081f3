"""The commands of `twoway user`."""

from __future__ import annotations

from typing import Final

from pipeline.cli.terminal.groups import add_command, group
from pipeline.cli.user import command

USERS: Final = group("Who may sign in to the report.", no_args_is_help=True)
add_command(USERS, "add", command.add_user, example="user add anna --right numbers --right texts")
add_command(USERS, "list", command.list_users, example="user list --json")
add_command(USERS, "rights", command.set_rights, example="user rights anna --right texts")
add_command(USERS, "password", command.set_password, example="user password anna")
add_command(USERS, "remove", command.remove_user, example="user remove anna")
