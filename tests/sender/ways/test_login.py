"""One login for which many calls wait."""

from __future__ import annotations

import asyncio

import pytest

from pipeline.records import Outcome
from pipeline.sender.way import Answer
from pipeline.sender.ways.over_http.login import SharedLogin


async def never() -> str:
    await asyncio.Event().wait()
    return "unreachable"


async def test_who_waits_for_a_login_that_is_ended_has_sent_nothing() -> None:
    login = SharedLogin(never)
    waiting = [asyncio.create_task(login.session()) for _ in range(3)]
    await asyncio.sleep(0)
    await login.close()
    for answer in await asyncio.gather(*waiting):
        assert isinstance(answer, Answer)
        assert (answer.outcome, answer.is_temporary) == (Outcome.FAILED, True)


async def test_one_that_is_cancelled_takes_the_login_from_nobody() -> None:
    begun = asyncio.Event()

    async def log_in() -> str:
        await begun.wait()
        return "session"

    login = SharedLogin(log_in)
    one, other = (asyncio.create_task(login.session()) for _ in range(2))
    await asyncio.sleep(0)
    one.cancel()
    with pytest.raises(asyncio.CancelledError):
        await one
    begun.set()
    assert await other == "session"
