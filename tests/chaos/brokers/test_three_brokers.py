"""A short run on three brokers: the active controller is killed, and its disk is lost."""

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
KIND = "disk lost, the controller"


def test_nothing_is_lost_or_doubled_when_the_controller_dies_with_its_disk(tmp_path, monkeypatch):
    for library in ("aiokafka", "kafka"):
        monkeypatch.setattr(logging.getLogger(library), "level", logging.CRITICAL)
    said: list[str] = []
    ended = run_chaos_on_brokers(
        tmp_path / "home",
        seed=3,
        messages=500,
        losses=1,
        pause=16.0,
        say=said.append,
        kinds=(KIND,),
        times=Times(between=(0.0, 1.0), away=(3.5, 4.5), after_the_last=6.0),
    )
    outcome = ended.outcome
    words = "\n".join([*said, *outcome.deaths, *outcome.findings.words, *ended.table, str(outcome)])
    assert outcome.findings.are_none, words
    assert outcome.stops == {KIND: 1}, words
    assert "never" not in "".join(ended.table), words
    assert outcome.messages >= 500
