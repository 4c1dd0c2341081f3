"""The rows of applications that lie: one for each way of `twoway deliver`, and its Kafka."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from pipeline.records import ReplyWay
from tests.hostile.lies import SECRET, TEXT
from tests.hostile.peers.applications import TONGUES
from tests.hostile.peers.exchange import Row
from tests.support.log_search import Search, logs_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.hostile.peers.applications import Applications

SENT: Final = Search(texts=[TEXT], secrets=[SECRET])
#: What met the rest of a lie is tried again after minutes: another message goes sooner.
NEXT_SECONDS: Final = 1.0
KAFKA: Final = "deliver-kafka"


def name_of(way: ReplyWay) -> str:
    """The row of a way."""
    return f"deliver-{way}"


def rows_of(it: Applications) -> dict[str, Row]:
    """Every row, by its name."""

    def told(way: ReplyWay) -> Callable[[], Callable[[], bool]]:
        def begin() -> Callable[[], bool]:
            names = [it.tell(way)]
            asked = [time.monotonic()]

            def is_told() -> bool:
                if any(it.was_told(name) for name in names):
                    return True
                if time.monotonic() > asked[-1] + NEXT_SECONDS:
                    names.append(it.tell(way))
                    asked.append(time.monotonic())
                return False

            return is_told

        return begin

    def tell_some(way: ReplyWay) -> Callable[[], None]:
        """One for each step of the dialogue to lie at."""
        _, steps = TONGUES[way]

        def some() -> None:
            for _ in range(steps):
                it.tell(way)

        return some

    by_post = ReplyWay.HTTP_POST
    rows = [
        Row(KAFKA, it.kafka, lambda: it.tell(by_post), told(by_post)),
        *(Row(name_of(way), it.proxies[way], tell_some(way), told(way)) for way in TONGUES),
    ]
    return {row.name: row for row in rows}


def check(it: Applications) -> None:
    """The process lives and is small, and no log has what was sent."""
    for process in it.processes.values():
        process.check()
    found = list(SENT.of(log for log in logs_of(it.home) if log.name != "mo.log"))
    assert not found, found[:20]
