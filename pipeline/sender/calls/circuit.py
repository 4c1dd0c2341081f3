"""Whether an API can be used now: after failures it gets no commands until a probe succeeds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from pipeline.process.backoff import Backoff, spread
from pipeline.records import Outcome
from pipeline.sender.way import Trouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.sender.way import Answer

#: Calls in a row that did not reach the gateway, or whose fate is unknown, after which it is left
#: alone: a gateway that answers 5xx to everything would make each command unknown.
FAILURES: Final = 5
SHORTEST_SECONDS: Final = 5.0
LONGEST_SECONDS: Final = 300.0
#: How long to send nothing when the gateway asks for less and does not say how long.
THROTTLED_SECONDS: Final = 5.0
LONGEST_THROTTLE_SECONDS: Final = 3_600.0


class Circuit:
    """Open: nothing is asked for, and every now and then a probe that sends nothing is due.

    Half-open (`is_trying`), after a probe that went through: one message at a time, until one is
    answered. `deploy/decisions/0121` has the figures.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._backoff = Backoff(SHORTEST_SECONDS, LONGEST_SECONDS)
        self._probe_at: float | None = None
        self._paused_until = 0.0
        self.is_trying = False
        self.words = ""

    @property
    def is_open(self) -> bool:
        """Whether the API gets no commands."""
        return self._probe_at is not None

    @property
    def seconds_to_wait(self) -> float:
        """Seconds until something may be asked for, or the probe is due."""
        now = self._clock()
        until = self._paused_until if self._probe_at is None else self._probe_at
        return max(0.0, until - now)

    def note(self, answer: Answer) -> None:
        """Learn from the outcome of a call."""
        if answer.trouble is Trouble.THROTTLED:
            asked = answer.retry_after_seconds or THROTTLED_SECONDS
            pause = min(asked, LONGEST_THROTTLE_SECONDS)
            self._paused_until = max(self._paused_until, self._clock() + pause)
        if answer.trouble is Trouble.REFUSED:
            self._open(answer.words)
        elif answer.trouble is Trouble.UNREACHABLE or answer.outcome is Outcome.UNKNOWN:
            self._failures += 1
            if self._failures >= FAILURES:
                self._open(answer.words)
        else:
            self._failures = 0
            self.is_trying = False
            if not self.is_open:
                self._backoff.succeeded()

    def probe_failed(self, words: str) -> None:
        """The probe failed: wait longer before the next one."""
        self._open(words, again=True)

    def probe_succeeded(self) -> None:
        """Let one message at a time try; the next failure of a call opens it again, for longer.

        A probe sends nothing: where it goes through, messages may fail all the same.
        """
        self._failures = FAILURES - 1
        self.is_trying = True
        self._probe_at = None
        self.words = ""

    def _open(self, words: str, *, again: bool = False) -> None:
        if self._probe_at is None or again:
            self._probe_at = self._clock() + spread(self._backoff.failed())
        self.is_trying = False
        self.words = words
