"""Repeats an operation while ClickHouse or Kafka fails, up to a time limit."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, TypeVar

from aiokafka.errors import KafkaError
from clickhouse_connect.driver.exceptions import ClickHouseError

from pipeline.process.backoff import Backoff
from pipeline.process.log_guard import words_for_log
from pipeline.store import metrics
from pipeline.store.refusals import is_about_a_value

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_PAUSE_SECONDS: Final = 0.25
LONGEST_PAUSE_SECONDS: Final = 10.0
GIVE_UP_SECONDS: Final = 120.0
KAFKA: Final = "kafka"
CLICKHOUSE: Final = "clickhouse"


class SinkFailed(RuntimeError):
    """The store cannot go on. It has committed only offsets of records that are stored."""


class Retries:
    """Repeats attempts until one succeeds, with growing pauses."""

    def __init__(self, *, give_up_seconds: float, clock: Callable[[], float]) -> None:
        self._give_up_seconds = give_up_seconds
        self._clock = clock

    async def done(self, target: str, attempt: Callable[[], Awaitable[T]]) -> T:
        """The result of the first attempt that succeeds; `SinkFailed` after `give_up_seconds`.

        An error about a value in a row is raised at once, because the row would be refused again.
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
                metrics.UNAVAILABLE.labels(target).set(1)
                metrics.RETRIES.labels(target).inc()
                pause = backoff.failed()
                if self._clock() + pause > give_up_at:
                    raise SinkFailed(
                        f"{target} has been failing for {self._give_up_seconds:.0f} s: {words}"
                    ) from error
                log.warning("%s failed, again in %.2f s: %s", target, pause, words)
                await asyncio.sleep(pause)
            else:
                metrics.UNAVAILABLE.labels(target).set(0)
                return result
