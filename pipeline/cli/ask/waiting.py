"""Waiting for something to become so, as long as it moves."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pipeline.cli.terminal.failure import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable

ASK_AGAIN_SECONDS: Final = 0.1
T = TypeVar("T")


class ProgressDeadline:
    """Is over when nothing has moved for so many seconds."""

    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds
        self._progress: Any = None
        self._until = time.monotonic() + seconds

    def saw(self, progress: Any) -> None:
        """Start anew when `progress` differs from what was seen before."""
        if progress != self._progress:
            self._progress = progress
            self._until = time.monotonic() + self._seconds

    def is_over(self) -> bool:
        """True when it is time to give up."""
        return time.monotonic() >= self._until


def pause() -> None:
    """Give what is waited for a moment before it is asked again."""
    time.sleep(ASK_AGAIN_SECONDS)


def wait_for(ask: Callable[[], T | None], *, seconds: float, failure: str) -> T:
    """What `ask` answers once it is not None; after `seconds` a `CommandError` with `failure`."""
    patience = ProgressDeadline(seconds=seconds)
    while (answer := ask()) is None:
        if patience.is_over():
            raise CommandError(f"{failure} within {seconds:g} s")
        pause()
    return answer
