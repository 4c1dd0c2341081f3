"""Every answer of a lying ClickHouse server is an error that is retried; its words are masked."""

from __future__ import annotations

import asyncio
import logging
import unicodedata

import pytest
from clickhouse_connect.driver.exceptions import ClickHouseError

from pipeline.process import peer_words
from pipeline.store.clickhouse import database
from pipeline.store.clickhouse.server import ClickHouseServer
from pipeline.store.sink.retries import CLICKHOUSE, Retries, SinkFailed
from pipeline.web.bounded_answer import AnswerBounds
from tests.hostile.lies import NUMBER, SECRET
from tests.hostile.lying_clickhouse import LIES
from tests.hostile.lying_server import lying_server

LONGEST_WORDS = 400


@pytest.fixture(autouse=True)
def _quick_and_with_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "START_SECONDS", 0)
    monkeypatch.setattr(database, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(peer_words, "_secrets", set())
    monkeypatch.setattr(peer_words, "_pattern", peer_words._pattern)
    monkeypatch.setattr(peer_words, "_longest", 0)
    peer_words.keep_secret([SECRET])


@pytest.mark.parametrize("lie", LIES)
async def test_a_clickhouse_that_lies_is_tried_again_and_its_words_are_masked(
    lie: str, caplog: pytest.LogCaptureFixture
) -> None:
    tries = 0
    with lying_server(LIES[lie]) as server:
        url = f"http://twoway:{SECRET}@127.0.0.1:{server.port}"
        target = ClickHouseServer(url, AnswerBounds(octets=1 << 20, seconds=2.0))

        async def connect() -> object:
            nonlocal tries
            tries += 1
            return await asyncio.to_thread(database.client_when_up, target.client)

        retries = Retries(give_up_seconds=0.3, clock=asyncio.get_running_loop().time)
        with caplog.at_level(logging.DEBUG, "pipeline"):
            async with asyncio.timeout(60):
                with pytest.raises((SinkFailed, ClickHouseError)) as raised:
                    await retries.done(CLICKHOUSE, connect)
    assert tries
    if lie == "echo-500":  # the client itself masks nothing
        raw = str(raised.value.__cause__ or raised.value)
        assert SECRET in raw
        assert NUMBER in raw
    said = [record.getMessage() for record in caplog.records if record.name.startswith("pipeline")]
    for words in (*said, peer_words.words_of_error(raised.value)):
        assert SECRET not in words
        assert NUMBER not in words
        assert len(words) <= LONGEST_WORDS
        assert not any(unicodedata.category(each).startswith("C") for each in words)
