"""The load driver counts what was answered."""

from __future__ import annotations

import pytest

from pipeline.topics import MO_RAW
from tests.bench.ingest_bench import measure
from tests.ingest.support import running


@pytest.mark.parametrize("form", ["get", "post"])
async def test_every_request_is_a_part_of_its_own_and_counted(form: str) -> None:
    async with running() as ingest:
        figures = await measure(
            f"http://127.0.0.1:{ingest.port}", requests=50, concurrency=4, seconds=30, form=form
        )
        records = ingest.publisher.of(MO_RAW)
    assert (figures["requests"], figures["statuses"]) == (50, {200: 50})
    assert len({(record.query, record.octets) for record in records}) == 50  # type: ignore[attr-defined]
