"""A row of the tables of lying peers, and how some rows are lied to at once."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.hostile.lying_server import wait_until
from tests.hostile.scale import IS_LONG

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from tests.hostile.peers.proxy import LyingProxy
    from tests.hostile.peers.watched import Watched

LYING_SECONDS: Final = 1.5
#: In the long form a client that waits for more is left to wait: up to 40 s for Kafka.
PATIENCE_SECONDS: Final = 150 if IS_LONG else 45


@dataclass(frozen=True)
class Row:
    """One way of ours to a peer."""

    name: str
    proxy: LyingProxy
    provoke: Callable[[], object]
    begin: Callable[[], Callable[[], bool]]


def take_honest(rows: Sequence[Row], *, seconds: float = PATIENCE_SECONDS) -> None:
    """Begin an honest exchange of each row; return when all have come to their ends."""
    for is_done in [row.begin() for row in rows]:
        wait_until(is_done, seconds=seconds)


def lied_to(rows: Sequence[Row], lie: str, processes: Collection[Watched]) -> None:
    """Let the peers of some rows lie at once, and return when honest answers are taken again."""
    proxies = {row.proxy for row in rows}
    for process in processes:
        process.begin_anew()
    try:
        for proxy in proxies:
            proxy.lie(lie)
        began = time.monotonic()
        for row in rows:
            row.provoke()
        for row in rows:
            wait_until(lambda row=row: row.proxy.told > 0)  # type: ignore[misc]
        time.sleep(max(0.0, began + LYING_SECONDS - time.monotonic()))  # so long they are lied to
    finally:
        for proxy in proxies:
            proxy.be_honest()
    if not IS_LONG:  # whoever waits for more waits for as long as the product lets it
        for proxy in proxies:
            proxy.cut()
    take_honest(rows)
