"""The measurement of growth distinguishes linear from steeper work."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest

from tests.hostile.growth import TooSteep, refuse_steep_growth

if TYPE_CHECKING:
    from collections.abc import Callable


def test_linear_work_is_taken() -> None:
    refuse_steep_growth(lambda size: lambda: sum(range(size)), largest=1 << 22)


@pytest.mark.parametrize(
    "expression", [r"[ ]*([^x]*?)[ ]*", r"(?:[ ]|a)*[ ]*b"], ids=["cubic-header", "quadratic"]
)
def test_an_expression_that_backtracks_is_refused(expression: str) -> None:
    compiled = re.compile(expression)

    with pytest.raises(TooSteep):
        refuse_steep_growth(
            lambda size: lambda: compiled.fullmatch(" " * size + "xx"),
            largest=1 << 16,
            smallest=24,
        )


def test_work_that_takes_long_only_at_the_largest_size_is_refused() -> None:
    largest = 1 << 13

    def work(size: int) -> Callable[[], object]:
        seconds = 0.1 if size >= largest else 0.0

        def run() -> None:
            end = time.thread_time() + seconds
            while time.thread_time() < end:
                pass

        return run

    with pytest.raises(TooSteep):
        refuse_steep_growth(work, largest=largest, is_the_limit=True)
