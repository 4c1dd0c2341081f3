"""A short run of chaos in accounts: some hundred parts, top-ups, and three kinds of kill."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.chaos.accounts.run import run_chaos

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.broker,
    pytest.mark.chaos,
    pytest.mark.timeout(280),
    pytest.mark.skipif(
        os.environ.get("STACK") == "docker", reason="what runs in containers has no process to kill"
    ),
]


def test_the_ledger_adds_up_and_nothing_is_lost_whatever_is_killed(tmp_path: Path) -> None:
    said: list[str] = []
    outcome = run_chaos(tmp_path / "home", seed=3, parts=600, kills=3, pause=1.5, say=said.append)
    words = "\n".join([*said, *outcome.faults[:20], str(outcome)])
    assert outcome.is_well, words
    assert outcome.kills.total() == 3, words
    assert outcome.parts >= 600, words
