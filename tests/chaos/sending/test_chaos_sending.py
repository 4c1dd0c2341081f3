"""A short run of chaos in sending: some hundred commands by six ways, each kind of kill once."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import pytest

from tests.chaos.sending.run import run_chaos

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


def test_nothing_goes_out_twice_or_after_a_stop_whatever_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("aiokafka"), "level", logging.CRITICAL)
    said: list[str] = []
    outcome = run_chaos(
        tmp_path / "home", seed=5, commands=200, kills=4, pause=1.5, say=said.append
    )
    words = "\n".join([*said, *outcome.deaths, *outcome.findings.words, str(outcome)])
    assert outcome.findings.are_none, words
    assert outcome.kills.total() == 4, words
    assert (outcome.stops, outcome.moves) == (1, 1), words
    assert outcome.commands >= 150, words
    assert len({fate.partition(" by ")[2] for fate in outcome.fates}) == 6, words
