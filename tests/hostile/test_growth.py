"""The measurement of growth distinguishes linear from steeper work."""

from __future__ import annotations

import re

import pytest

from tests.hostile.growth import TooSteep, refuse_steep_growth


def test_linear_work_is_taken() -> None:
    refuse_steep_growth(lambda size: lambda: sum(range(size)), largest=1 << 22)


@pytest.mark.parametrize(
    "expression", [r"[ ]*([^x]*?)[ ]*", r"(?:[ ]|a)*[ ]*b"], ids=["cubic-header", "quadratic"]
)
def test_an_expression_that_backtracks_is_refused(expression: str) -> None:
    compiled = re.compile(expression)

    with pytest.raises(TooSteep):
        refuse_steep_growth(
            lambda size: lambda: compiled.fullmatch(" " * size + "xx"), largest=1 << 16
        )


def test_quadratic_work_below_the_measurable_size_is_refused() -> None:
    def work(size: int) -> object:
        return lambda: [0 for _ in range(size * size // 16)]

    with pytest.raises(TooSteep):
        refuse_steep_growth(work, largest=1 << 13)  # type: ignore[arg-type]
