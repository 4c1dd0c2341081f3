"""Looks become rare, and never take more time than the pauses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import looking

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """A clock that only its sleeper and the looks move."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(looking, "time", clock)
    return clock


def look(clock: Clock, of_seconds: float) -> Callable[[], None]:
    def take() -> None:
        clock.now += of_seconds

    return take


@pytest.mark.parametrize("of_seconds", [0.0, 0.03125, 0.75, 128.0])
def test_looks_are_often_at_first_then_rare_and_there_is_one_at_the_end(
    clock: Clock, of_seconds: float
) -> None:
    take = look(clock, of_seconds)
    count = 0
    for _ in looking.looks(seconds=60):
        take()
        count += 1
    assert 2 <= count == len(clock.pauses) + 1
    assert clock.pauses[0] == pytest.approx(max(0.05, of_seconds))
    assert clock.pauses == sorted(clock.pauses)
    assert max(clock.pauses) <= max(looking.LONGEST_SECONDS, of_seconds) + 1e-9
    assert sum(clock.pauses) >= (count - 1) * of_seconds
    assert clock.now >= 60
