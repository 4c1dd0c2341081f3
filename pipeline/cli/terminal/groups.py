"""How a group of commands is made, and how a command with its example goes into it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import typer
import typer.main

from pipeline.cli.terminal.help import PlainCommand, SectionedHelp

if TYPE_CHECKING:
    from collections.abc import Callable


def group(help: str = "", **options: Any) -> typer.Typer:
    """A group; without words of its own it has those of its callback."""
    given = options | ({"help": help} if help else {})
    return typer.Typer(rich_markup_mode=None, cls=SectionedHelp, **given)


def add_command(
    group: typer.Typer,
    name: str,
    command: Callable[..., None],
    *,
    example: str,
    **options: Any,
) -> None:
    """Add a command; --help shows `example`, a line that a user may type."""
    epilog = f"Example: twoway {example}"
    group.command(name, cls=PlainCommand, epilog=epilog, **options)(command)


@cache
def built_commands(app: typer.Typer) -> Any:
    """All commands with their options, made once in a process: that takes 20 ms of the processor.

    Typer makes them anew at each call of `app`.
    """
    return typer.main.get_command(app)
