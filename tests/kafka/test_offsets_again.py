"""A partition whose broker does not answer yet is asked for again after a pause."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from kafka.consumer.fetcher import Fetcher

from pipeline.kafka import offsets_again
from pipeline.kafka.login.options import kafka_python_options

PAUSE_MS = 70


class Asked:
    """A fetcher of kafka-python: its answers, the pauses, and how often it asks for leaders."""

    def __init__(self, unanswered: set[str]) -> None:
        self.unanswered = unanswered
        self.pauses: list[float] = []
        self.leaders_asked = 0
        self.config = {"retry_backoff_ms": PAUSE_MS}
        self._manager = SimpleNamespace(
            cluster=SimpleNamespace(request_update=self.ask_for_leaders),
            _net=SimpleNamespace(sleep=self.sleep),
        )

    def ask_for_leaders(self) -> None:
        self.leaders_asked += 1

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def answer(self, timestamps: dict[str, int]) -> Any:
        return dict.fromkeys(timestamps, 5), self.unanswered


@pytest.mark.parametrize(
    ("unanswered", "pauses"),
    [
        pytest.param(set(), [], id="all answered"),
        pytest.param({"one"}, [PAUSE_MS / 1000], id="one unanswered"),
    ],
)
def test_what_has_no_answer_costs_a_pause_and_a_look_at_the_leaders(
    monkeypatch: pytest.MonkeyPatch, unanswered: set[str], pauses: list[float]
) -> None:
    monkeypatch.setattr(offsets_again, "_send", Asked.answer)
    asked = Asked(unanswered)
    answer = asyncio.run(offsets_again._send_and_pause(asked, {"one": -1, "other": -1}))
    assert answer == ({"one": 5, "other": 5}, unanswered)
    assert (asked.pauses, asked.leaders_asked) == (pauses, len(pauses))


def test_every_client_of_kafka_python_asks_so() -> None:
    kafka_python_options("127.0.0.1:1")
    assert Fetcher._send_list_offsets_requests is offsets_again._send_and_pause
