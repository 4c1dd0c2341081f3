"""Repeats an operation while ClickHouse or Kafka fails, up to a time limit."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, TypeVar

from aiokafka.errors import KafkaError
from clickhouse_connect.driver.exceptions import ClickHouseError

from pipeline.process.backoff import Backoff
from pipeline.process.log_guard import words_for_log
from pipeline.process.room import NO_ROOM
from pipeline.store import metrics
from pipeline.store.sink.refusals import is_about_a_value

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_PAUSE_SECONDS: Final = 0.25
LONGEST_PAUSE_SECONDS: Final = 10.0
GIVE_UP_SECONDS: Final = 120.0
#: A wait for room has no end.
_CODE_NO_ROOM: Final = 243  # NOT_ENOUGH_SPACE (ClickHouse's src/Common/ErrorCodes.cpp)
_WORDS_OF_NO_ROOM: Final = tuple(f"errno: {number}," for number in NO_ROOM)
KAFKA: Final = "kafka"
CLICKHOUSE: Final = "clickhouse"


class SinkFailed(RuntimeError):
    """The store cannot go on. It has committed only offsets of records that are stored."""


def is_no_room(error: BaseException) -> bool:
    """Whether there is no room for what was to be written, here or at the server."""
    if isinstance(error, ClickHouseError):
        words = str(error)
        return getattr(error, "code", None) == _CODE_NO_ROOM or any(
            each in words for each in _WORDS_OF_NO_ROOM
        )
    return isinstance(error, OSError) and error.errno in NO_ROOM


class Retries:
    """Repeats attempts until one succeeds, with growing pauses."""

    def __init__(self, *, give_up_seconds: float, clock: Callable[[], float]) -> None:
        self._give_up_seconds = give_up_seconds
        self._clock = clock
        self._failing: dict[str, tuple[float, str]] = {}

    @property
    def failing(self) -> str:
        """Which target fails, for how long and why; empty when none does."""
        now = self._clock()
        return "; ".join(
            f"{target} has been failing for {now - since:.0f} s: {words}"
            for target, (since, words) in sorted(self._failing.items())
        )

    async def done(self, target: str, attempt: Callable[[], Awaitable[T]]) -> T:
        """The result of the first attempt that succeeds; `SinkFailed` after `give_up_seconds`.

        An error about a value in a row is raised at once, because the row would be refused again.
        Where there is no room it tries for ever: a restart would make none.
        """
        backoff = Backoff(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
        give_up_at = self._clock() + self._give_up_seconds
        while True:
            try:
                result = await attempt()
            except (KafkaError, ClickHouseError, OSError) as error:
                if isinstance(error, ClickHouseError) and is_about_a_value(error):
                    raise
                words = words_for_log(error)
                self._note(target, words)
                metrics.RETRIES.labels(target).inc()
                pause = backoff.failed()
                if self._clock() + pause > give_up_at and not is_no_room(error):
                    raise SinkFailed(
                        f"{target} has been failing for {self._give_up_seconds:.0f} s: {words}"
                    ) from error
                log.warning("%s failed, again in %.2f s: %s", target, pause, words)
                await asyncio.sleep(pause)
            else:
                self.forget_failures(target)
                return result

    def _note(self, target: str, words: str) -> None:
        since, _ = self._failing.get(target, (self._clock(), ""))
        self._failing[target] = since, words
        metrics.UNAVAILABLE.labels(target).set(1)

    def forget_failures(self, *targets: str) -> None:
        """These targets do not fail, or nothing is tried of them any more."""
        for target in targets:
            self._failing.pop(target, None)
            metrics.UNAVAILABLE.labels(target).set(0)
