"""The load driver counts the answers."""

from __future__ import annotations

import os

import pytest

from pipeline.kafka.topics import MO_RAW
from tests.bench import slow_clients
from tests.bench.ingest_bench import FORMS, measure
from tests.ingest.http.support import running


@pytest.mark.parametrize("form", FORMS)
async def test_every_request_is_a_part_of_its_own_and_counted(form: str) -> None:
    async with running() as ingest:
        figures = await measure(
            f"http://127.0.0.1:{ingest.port}", requests=50, concurrency=4, seconds=30, form=form
        )
        records = ingest.publisher.of(MO_RAW)
    assert (figures["requests"], figures["statuses"]) == (50, {200: 50})
    assert {record.source for record in records} == {form.partition("-")[0]}  # type: ignore[attr-defined]
    assert len({(record.query, record.octets) for record in records}) == 50  # type: ignore[attr-defined]


async def test_slow_clients_stay_while_others_are_answered() -> None:
    async with running() as ingest:
        url = f"http://127.0.0.1:{ingest.port}"
        figures = await slow_clients.measure(url, os.getpid(), clients=20, seconds=1)
    assert (figures.clients, figures.answered) == (20, slow_clients.OTHERS_A_SECOND)
    assert 0 < figures.p50_ms <= figures.slowest_ms
    assert figures.most_mb > 1
    assert len(ingest.publisher.of(MO_RAW)) == slow_clients.OTHERS_A_SECOND
