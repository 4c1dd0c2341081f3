"""`completion`: the script by which a shell completes the words of `twoway`."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Annotated, Final

import typer

from pipeline.cli.terminal.saying import say

VARIABLE: Final = "_TWOWAY_COMPLETE"


class Shell(StrEnum):
    """The shells that are served."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(
    shell: Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")],
) -> None:
    """Print the script that completes commands and options in a shell.

    Put `source <(twoway completion bash)` into ~/.bashrc, or the same with zsh, after compinit,
    into ~/.zshrc; for fish: `twoway completion fish > ~/.config/fish/completions/twoway.fish`.
    """
    from typer.completion import get_completion_script  # type: ignore[attr-defined]  # in no __all__

    say(get_completion_script(prog_name="twoway", complete_var=VARIABLE, shell=shell.value))


def prepare_completion() -> None:
    """Let typer answer a shell that asks; nothing is loaded where no shell asks."""
    if os.environ.get(VARIABLE):
        from typer.completion import completion_init  # type: ignore[attr-defined]  # as above

        completion_init()
