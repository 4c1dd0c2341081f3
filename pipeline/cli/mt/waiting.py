"""`mt --wait`: waits until a request is refused or its command is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import typer

from pipeline.cli.ask.report_client import report_of
from pipeline.cli.ask.waiting import wait_for
from pipeline.cli.mt.history import history_of
from pipeline.cli.terminal.saying import say
from pipeline.records import CommandState
from pipeline.store.story.command_words import lines_of_mt

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from pipeline.store.story.command import MtHistory

WAIT_SECONDS: Final = 60
EXIT_NOT_SENT: Final = 1
_SENT: Final = frozenset({CommandState.SUBMITTED, CommandState.DELIVERED})
_OPEN: Final = frozenset({CommandState.WAITING, CommandState.PERMITTED})


def wait_until_decided(settings: Settings, request_id: str) -> None:
    """Wait, then print the path of the request; exits with 1 if it was not sent."""
    report = report_of(settings)
    history = wait_for(
        lambda: decided(history_of(report, request_id)),
        seconds=WAIT_SECONDS,
        failure="it was neither sent nor refused",
    )
    for line in lines_of_mt(history):
        say(line)
    if not was_sent(history):
        raise typer.Exit(EXIT_NOT_SENT)


def decided(history: MtHistory) -> MtHistory | None:
    """The history once nothing more is waited for, by the worker's state, else by the results."""
    if history.states:
        return None if history.states[-1].state in _OPEN and not history.refused else history
    return history if history.refused or history.seen else None


def was_sent(history: MtHistory) -> bool:
    """Whether the gateway has the message."""
    if history.states:
        return history.states[-1].state in _SENT
    return bool(history.seen) and history.seen[-1].outcome in _SENT
