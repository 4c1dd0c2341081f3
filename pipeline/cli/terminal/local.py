"""The local stack as the commands see it: where it runs, and its clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.cli.terminal.failure import CommandError
from pipeline.clock import PipelineClock
from pipeline.home.stack import find_stack

if TYPE_CHECKING:
    from pipeline.home.stack import Stack
    from pipeline.settings import Settings


def clock_of(settings: Settings) -> PipelineClock:
    """The local stack's clock; the machine's clock if the settings name another broker."""
    stack = find_stack(settings.home)
    is_local = not settings.kafka or (stack is not None and stack.kafka == settings.kafka)
    return PipelineClock(settings.home if is_local else None)


def local_stack_of(settings: Settings) -> Stack:
    """The stack that runs under the home; raises `CommandError` when none does."""
    stack = find_stack(settings.home)
    if stack is None:
        raise CommandError(f"no local stack runs under {settings.home}: start one with `twoway up`")
    return stack
