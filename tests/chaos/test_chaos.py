"""A short run of chaos: every process is killed, and two workers are stopped at critical places."""

from __future__ import annotations

import logging
import os

import pytest

from tests.chaos.run import run_chaos

pytestmark = [
    pytest.mark.broker,
    pytest.mark.chaos,
    pytest.mark.timeout(280),
    pytest.mark.skipif(
        os.environ.get("STACK") == "docker", reason="what runs in containers has no process to kill"
    ),
]


def test_nothing_is_lost_doubled_or_reordered_whatever_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(logging.getLogger("aiokafka"), "level", logging.CRITICAL)
    said: list[str] = []
    outcome = run_chaos(
        tmp_path / "home", seed=5, messages=1_000, kills=4, pause=2.0, say=said.append
    )
    words = "\n".join([*said, *outcome.deaths, *outcome.findings.words, str(outcome)])
    assert outcome.findings.are_none, words
    assert (outcome.kills, outcome.stops.total()) == (4, 2), words
    assert outcome.messages >= 1_000
