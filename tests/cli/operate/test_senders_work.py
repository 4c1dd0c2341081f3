"""Where the clock stops for senders, and for how long it waits; the store is played by the test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.cli.operate import senders_work as module
from pipeline.cli.operate.senders_work import (
    CONFIRMATIONS_DUE,
    OPEN_COMMANDS,
    REPORTED,
    SendersWork,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)


def z(minutes: float) -> str:
    """So many minutes after noon, as ClickHouse writes it."""
    return f"{NOON + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"


class Store:
    """What is open after each look: the looks are given in turn, the last one holds."""

    def __init__(
        self,
        *looks: dict[str, tuple[str, str]],
        dues: tuple[str, ...] = (),
        unreported: tuple[int, ...] = (0,),
    ) -> None:
        self._looks = list(looks)
        self._dues = dues
        self._unreported = iter(unreported)
        self.looks = 0
        self.stored = 0
        self.said: list[str] = []

    def ask(self, sql: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        if sql == REPORTED:
            self.asked_about = parameters["ids"]
            return [{"n": str(next(self._unreported))}]
        assert set(parameters) == {"now"}
        if sql == CONFIRMATIONS_DUE:
            return [{"stop_at": due} for due in self._dues]
        assert sql == OPEN_COMMANDS
        look = self._looks[min(self.looks, len(self._looks) - 1)]
        self.looks += 1
        assert self.stored == self.looks  # the store had everything before
        return [
            {"command_id": name, "state": state, "retry_at": retry_at}
            for name, (state, retry_at) in look.items()
        ]

    def wait_until_stored(self) -> None:
        self.stored += 1

    def sending(self) -> SendersWork:
        return SendersWork(self.ask, say=self.said.append)


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "pause", lambda: None)


def settle(store: Store, sending: SendersWork, at: float = 0.0) -> None:
    now = NOON + timedelta(minutes=at)
    sending.settle(now, wait_until_stored=store.wait_until_stored)


def test_it_waits_until_nothing_is_left_to_send() -> None:
    store = Store(
        {"a": ("new", ""), "b": ("waiting", "")},
        {"a": ("permitted", ""), "b": ("waiting", z(-1))},
        {"a": ("permitted", "")},
        {},
    )
    settle(store, store.sending())
    assert store.looks == 4
    assert store.asked_about == ["a", "b"]
    assert store.said == ["waiting for the sender: 2 commands to be sent"]


def test_it_waits_a_moment_for_the_gateways_reports() -> None:
    store = Store({"a": ("permitted", "")}, {}, unreported=(1, 1, 0))
    settle(store, store.sending())
    assert store.stored == store.looks + 2


def test_reports_that_do_not_come_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REPORT_SECONDS", 0)
    store = Store({"a": ("permitted", "")}, {}, unreported=())
    settle(store, store.sending())
    assert store.looks == 2


def test_it_does_not_wait_for_an_attempt_that_comes_later() -> None:
    store = Store({"a": ("waiting", z(15))})
    settle(store, store.sending())
    assert (store.looks, store.said) == (1, [])


def test_what_nobody_sends_is_left_to_the_clock_and_waited_for_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0)
    store = Store({"a": ("waiting", "")})
    sending = store.sending()
    settle(store, sending)
    assert store.said[-1] == "1 command not sent: nothing has happened for a while"
    said = len(store.said)
    settle(store, sending)
    assert len(store.said) == said


FAR = NOON + timedelta(hours=6)


@pytest.mark.parametrize(
    ("dues", "retries", "stop"),
    [
        pytest.param((), (), FAR, id="nothing to stop for"),
        pytest.param((z(350),), (), NOON + timedelta(minutes=350), id="confirmation"),
        pytest.param((), (z(5), z(9)), NOON + timedelta(minutes=6), id="the first attempt"),
        pytest.param((z(350),), (z(1),), NOON + timedelta(minutes=2), id="an attempt before"),
        pytest.param((z(30),), (z(40),), NOON + timedelta(minutes=30), id="a confirmation before"),
        pytest.param((z(600),), (z(600),), FAR, id="behind the end"),
    ],
)
def test_the_clock_stops_at_what_a_sender_has_to_do(
    dues: tuple[str, ...], retries: tuple[str, ...], stop: datetime
) -> None:
    look = {f"c{at}": ("waiting", retry) for at, retry in enumerate(retries)}
    store = Store(look, dues=dues)
    sending = store.sending()
    settle(store, sending)
    assert sending.next_stop(NOON, FAR) == stop
