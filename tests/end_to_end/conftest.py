"""The stack, and its counterparts outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.outside import Outside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.running import RunningStack


@pytest.fixture(scope="session")
def outside(stack: RunningStack) -> Iterator[Outside]:
    """The counterparts of the suite's stack, which has the tests' numbers."""
    outside = Outside(stack)
    outside.load_numbers()
    yield outside
    outside.http.close()


@pytest.fixture
def handset(outside: Outside) -> str:
    """A handset for this test."""
    return outside.new_handset()
