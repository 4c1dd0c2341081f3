"""A short run on three brokers: the controller is killed, and a broker loses its disk."""

from __future__ import annotations

import logging
import os

import pytest

from tests.chaos.brokers.mayhem import Times
from tests.chaos.brokers.run import run_chaos_on_brokers

pytestmark = [
    pytest.mark.broker,
    pytest.mark.chaos,
    pytest.mark.timeout(280),
    pytest.mark.skipif(
        os.environ.get("STACK") == "docker", reason="what runs in containers has no process to kill"
    ),
]
KINDS = ("kill -9, the controller", "disk lost")


def test_nothing_is_lost_or_doubled_without_the_controller_and_without_a_disk(
    tmp_path, monkeypatch
):
    for library in ("aiokafka", "kafka"):
        monkeypatch.setattr(logging.getLogger(library), "level", logging.CRITICAL)
    said: list[str] = []
    ended = run_chaos_on_brokers(
        tmp_path / "home",
        seed=3,
        messages=1_200,
        losses=2,
        pause=8.0,
        say=said.append,
        kinds=KINDS,
        times=Times(between=(0.0, 1.0), away=(3.5, 4.5), after_the_last=6.0),
    )
    outcome = ended.outcome
    words = "\n".join([*said, *outcome.deaths, *outcome.findings.words, *ended.table, str(outcome)])
    assert outcome.findings.are_none, words
    assert sorted(outcome.stops) == sorted(KINDS), words
    assert "never" not in "".join(ended.table), words
    assert outcome.messages >= 1_200
