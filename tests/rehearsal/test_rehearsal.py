"""A restored installation gives the same answers, and knows what the gateway repeats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rehearsal.run import rehearse

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.running import RunningStack

pytestmark = [pytest.mark.broker, pytest.mark.timeout(420)]


def nothing_more(running: RunningStack) -> None:
    """The conversation is enough."""


def test_a_restored_installation_gives_the_same_answers(tmp_path: Path) -> None:
    said: list[str] = []

    rehearse(tmp_path, load=nothing_more, say=said.append)

    assert any("mo-raw" in words for words in said), said
