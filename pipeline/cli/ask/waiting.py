"""Waits for a condition, and gives up when nothing has changed for a time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pipeline.cli.terminal.failure import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable

ASK_AGAIN_SECONDS: Final = 0.1
T = TypeVar("T")


class ProgressDeadline:
    """A deadline that moves on with each change: it is over `seconds` after the last change."""

    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds
        self._progress: Any = None
        self._until = time.monotonic() + seconds

    def saw(self, progress: Any) -> None:
        """Start the time again if `progress` differs from the last one seen."""
        if progress != self._progress:
            self._progress = progress
            self._until = time.monotonic() + self._seconds

    def is_over(self) -> bool:
        """Whether the deadline has passed."""
        return time.monotonic() >= self._until


def pause() -> None:
    """Wait a moment before the next question."""
    time.sleep(ASK_AGAIN_SECONDS)


def wait_for(ask: Callable[[], T | None], *, seconds: float, failure: str) -> T:
    """The first answer of `ask` that is not None; `CommandError` with `failure` after `seconds`."""
    patience = ProgressDeadline(seconds=seconds)
    while (answer := ask()) is None:
        if patience.is_over():
            raise CommandError(f"{failure} within {seconds:g} s")
        pause()
    return answer
