"""How commands are put together: a group, and a command with its example."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from pipeline.cli.terminal.help import PlainCommand, SectionedHelp

if TYPE_CHECKING:
    from collections.abc import Callable


def group(help: str = "", **options: Any) -> typer.Typer:
    """A group; without words of its own it has those of its callback."""
    given = options | ({"help": help} if help else {})
    return typer.Typer(rich_markup_mode=None, cls=SectionedHelp, **given)


def add(
    to: typer.Typer, name: str, command: Callable[..., None], *, example: str, **options: Any
) -> None:
    """Add a command; --help shows `example`, a line that a user may type."""
    to.command(name, cls=PlainCommand, epilog=f"Example: twoway {example}", **options)(command)
