"""Short runs of chaos in accounts, in sending and in delivering, one after the other on one stack.

Each has numbers of its own. Some hundred messages and each kind of kill once.
"""

from __future__ import annotations

import logging
import os
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from tests.chaos.accounts import run as accounts
from tests.chaos.checker import Findings
from tests.chaos.delivery import run as delivery
from tests.chaos.logs import KIND, check_texts
from tests.chaos.sending import run as sending
from tests.chaos.sending.driver import KEYS
from tests.chaos.sending.places import numbers_toml
from tests.support.migrated import migrated
from tests.support.running import RunningStack

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.broker,
    pytest.mark.chaos,
    pytest.mark.timeout(280),
    pytest.mark.skipif(
        os.environ.get("STACK") == "docker", reason="what runs in containers has no process to kill"
    ),
]

SENDING_SEED: Final = 5
DELIVERY_SEED: Final = 3
END_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Around:
    """The stack, the ports of the gateway beside it, and the application of its reply paths."""

    running: RunningStack
    ports: dict[str, int]
    application: delivery.Application


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Around]:
    """The stack of all three; its logs are searched when it has ended."""
    home = tmp_path_factory.mktemp("chaos") / "home"
    with ExitStack() as ends:
        ports = ends.enter_context(sending.gateway_beside(home, seed=SENDING_SEED))
        application = delivery.Application(seed=DELIVERY_SEED)
        ends.callback(application.close)
        directory = (
            accounts.numbers_toml(),
            delivery.numbers_toml(application.url),
            numbers_toml(),
        )
        (migrated(home) / "numbers.toml").write_text("".join(directory))
        running = RunningStack(home, settings=sending.settings_for(ports))
        ends.callback(running.kill)
        running.start()
        yield Around(running, ports, application)
        running.stop(within_seconds=END_SECONDS)
        findings = Findings(kinds=(KIND,))
        processes = (*sending.PROCESSES, "accounts", "deliver")
        check_texts(findings, home, KEYS, secrets=sending.SECRETS, processes=processes)
        assert findings.are_none, findings.words


def test_the_ledger_adds_up_and_nothing_is_lost_whatever_is_killed(around: Around) -> None:
    said: list[str] = []
    outcome = accounts.play_on(
        around.running, seed=3, parts=600, kills=3, pause=1.5, say=said.append
    )
    words = "\n".join([*said, *outcome.faults[:20], str(outcome)])
    assert outcome.is_well, words
    assert outcome.kills.total() == 3, words
    assert outcome.parts >= 600, words


def test_nothing_goes_out_twice_or_after_a_stop_whatever_is_killed(
    around: Around, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("aiokafka"), "level", logging.CRITICAL)
    said: list[str] = []
    outcome = sending.play_on(
        around.running,
        around.ports,
        seed=SENDING_SEED,
        commands=200,
        kills=4,
        pause=1.5,
        say=said.append,
    )
    words = "\n".join([*said, *outcome.deaths, *outcome.findings.words, str(outcome)])
    assert outcome.findings.are_none, words
    assert outcome.kills.total() == 4, words
    assert (outcome.stops, outcome.moves) == (1, 1), words
    assert outcome.commands >= 150, words
    assert len({fate.partition(" by ")[2] for fate in outcome.fates}) == 6, words


def test_nothing_is_lost_and_little_comes_twice_whatever_is_killed(around: Around) -> None:
    said: list[str] = []
    outcome = delivery.play_on(
        around.running,
        around.application,
        seed=DELIVERY_SEED,
        messages=300,
        kills=3,
        pause=1.5,
        say=said.append,
    )
    words = "\n".join([*said, str(outcome)])
    assert outcome.is_well, words
    assert outcome.kills.total() == 3, words
    assert outcome.messages >= 300, words
