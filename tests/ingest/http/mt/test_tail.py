"""The reader of the status topics after failures of the broker."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from ingest.http.mt.status import StatusIndex
from ingest.http.mt.tail import BACKOFF_SECONDS, Tail


class Enough(BaseException):
    """The test has seen what it needs."""


@pytest.mark.parametrize(
    ("had_a_broker", "pauses"),
    [
        pytest.param([False] * 7, [0.5, 1, 2, 4, 8, 10, 10], id="no broker at all"),
        pytest.param([False, False, True, False], [0.5, 1, 0.5, 1], id="one that came and went"),
        pytest.param([True] * 4, [0.5] * 4, id="one that is restarted again and again"),
    ],
)
async def test_only_failures_in_a_row_make_the_pause_longer(
    had_a_broker: list[bool], pauses: list[float]
) -> None:
    seen: list[float] = []
    left = iter(had_a_broker)

    async def pause(seconds: float) -> None:
        seen.append(seconds)
        if len(seen) == len(had_a_broker):
            raise Enough
        await asyncio.sleep(0)

    class Failing(Tail):
        async def _read(self) -> None:
            self.is_reading = next(left)
            raise OSError("gone")

    with suppress(Enough):
        await Failing(StatusIndex(), lambda: "", pause=pause)._keep_reading()
    assert seen == pauses
    assert BACKOFF_SECONDS == (0.5, 10.0)
