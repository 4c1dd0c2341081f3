"""Columns that a ClickHouse server sends for a download: they are whole, or refused."""

from __future__ import annotations

import pyarrow as pa
import pytest

from pipeline.store.clickhouse.answers import AnswerUnreadable, reading_an_answer
from pipeline.store.query.questions import batch_from_octets
from tests.hostile.scale import dice_for

BATCH = pa.RecordBatch.from_pydict(
    {
        "at": pa.array([1, 2, None], pa.timestamp("ms", tz="UTC")),
        "text": ["hello", "", "\U0001f4e6"],
        "flags": [["a"], [], ["b", "c"]],
        "complete": [True, False, None],
    }
)


def stream_of(batch: pa.RecordBatch) -> bytes:
    with pa.BufferOutputStream() as sink:
        with pa.ipc.new_stream(sink, batch.schema) as stream:
            stream.write_batch(batch)
        return bytes(sink.getvalue())


def read(octets: bytes) -> pa.RecordBatch | None:
    """The rows; None where the answer was refused."""
    try:
        with reading_an_answer():
            return batch_from_octets(octets)
    except AnswerUnreadable:
        return None


def test_an_honest_answer_is_read() -> None:
    assert read(stream_of(BATCH)) == BATCH
    nothing = read(stream_of(BATCH.slice(0, 0)))
    assert nothing is not None
    assert (nothing.num_rows, nothing.schema) == (0, BATCH.schema)


@pytest.mark.parametrize("octets", [b"", b"\xff" * 64, b"Code: 27. wrong", b"\0" * 100_000])
def test_what_are_no_columns_is_refused(octets: bytes) -> None:
    assert read(octets) is None


def test_octets_that_are_changed_or_cut_are_refused_or_whole() -> None:
    dice, honest = dice_for("columns of a server"), stream_of(BATCH)
    for _ in range(400):
        octets = bytearray(honest[: dice.randrange(len(honest) // 2, len(honest) + 1)])
        for _ in range(dice.randrange(4)):
            octets[dice.randrange(len(octets))] = dice.randrange(256)
        found = read(bytes(octets))
        if found is not None:
            found.validate(full=True)
            found.to_pylist()
