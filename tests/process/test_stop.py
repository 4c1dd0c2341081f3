"""A process that cannot go on ends, and its last words are kept for `status` as in its log."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from aiokafka.errors import KafkaError

from pipeline.process import peer_words, stop

SECRET = "s3cr3t-of-ours"
FULL = Path("/dev/full")  # every write there fails for lack of room (full(4))
#: Neither its log nor the file for `status` can be written; a loop lives on after what fails.
ENDS = """
import asyncio, errno, logging
from pathlib import Path
from pipeline.process import stop, troubles
logging.basicConfig()
troubles.tell_in(Path("/dev/full"), "worker")
async def work():
    loop = asyncio.get_running_loop()
    loop.call_soon({call})
    await asyncio.sleep(5)
asyncio.run(work())
"""
NO_ROOM = 'OSError(errno.ENOSPC, "No space left on device")'


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


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full: only Linux has it")
@pytest.mark.parametrize(
    ("call", "status"),
    [
        (f'stop.stop_loudly, "partition 3", {NO_ROOM}', stop.EXIT_NO_ROOM),
        ('stop.stop_loudly, "partition 3", KeyError("x")', stop.EXIT_FAILED),
        ('stop.stop_for, "it has made no progress"', stop.EXIT_FAILED),
    ],
)
def test_a_process_ends_though_nothing_can_be_written(call: str, status: int) -> None:
    with FULL.open("w") as full:
        done = subprocess.run(
            [sys.executable, "-X", "twoway=python", "-c", ENDS.format(call=call)],
            stdout=full,
            stderr=full,
            check=False,
            timeout=60,
        )
    assert done.returncode == status
