"""The commands `backup` and `restore` on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.cli.backup import command
from pipeline.cli.terminal.groups import add_command

if TYPE_CHECKING:
    import typer

_FOLDER = "/srv/backup/monday --key /srv/keys/twoway.key"


def add_backup(app: typer.Typer) -> None:
    """Add both."""
    add_command(app, "backup", command.backup, example=f"backup {_FOLDER}")
    add_command(app, "restore", command.restore, example=f"restore {_FOLDER}")
