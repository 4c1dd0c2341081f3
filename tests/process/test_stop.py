"""The last words of a process are kept for `status` in the form of its log."""

from __future__ import annotations

import pytest
from aiokafka.errors import KafkaError

from pipeline.process import peer_words, stop

SECRET = "s3cr3t-of-ours"


class Ended(Exception):
    """Raised instead of ending this process."""


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    words: list[str] = []

    def end(told: str, status: int) -> None:
        assert status == stop.EXIT_FAILED
        words.append(told)
        raise Ended

    monkeypatch.setattr(stop, "_end", end)
    monkeypatch.setattr(peer_words, "_secrets", set())
    monkeypatch.setattr(peer_words, "_pattern", peer_words._pattern)
    monkeypatch.setattr(peer_words, "_longest", 0)
    peer_words.keep_secret([SECRET])
    return words


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            KafkaError(f"{SECRET} of 447700940001 said 'Meet me'"),
            "the store: KafkaError: KafkaError: [secret] of [number] said '…'",
        ),
        (RuntimeError("it is broken"), "the store: RuntimeError: it is broken"),
        (KeyError("447700940001"), "the store: KeyError: '…'"),
    ],
    ids=["a-peer's", "plain", "quoted"],
)
def test_what_a_peer_said_is_masked(said: list[str], error: Exception, expected: str) -> None:
    with pytest.raises(Ended):
        stop.stop_loudly("the store", error)
    assert said == [expected]
