"""Rows as whole batches: all rows, in order, and no empty batch."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st

from pipeline.kafka.batches import batches_of

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_OCTETS = 300
ROWS = st.lists(
    st.tuples(st.none() | st.binary(max_size=20), st.none() | st.binary(max_size=2 * MOST_OCTETS)),
    max_size=30,
)


def read(batch: BatchBuilder) -> list[tuple[Any, Any]]:
    """The records as a consumer reads them."""
    records = MemoryRecords(bytes(batch._build()))
    found = []
    while (held := records.next_batch()) is not None:
        found += [(record.key, record.value) for record in held]
    return found


def made(rows: Iterable[tuple[Any, Any]]) -> list[BatchBuilder]:
    producer: Any = SimpleNamespace(
        create_batch=lambda: BatchBuilder(MOST_OCTETS, 0, is_transactional=False)
    )
    return list(batches_of(producer, rows))


@given(ROWS)
def test_batches_hold_every_row_in_order_and_are_as_large_as_may_be(rows) -> None:
    batches = made(rows)
    held = [read(batch) for batch in batches]
    assert [row for batch in held for row in batch] == rows
    assert [batch.record_count() for batch in batches] == [len(batch) for batch in held]
    assert all(held)
    for batch, records in zip(batches, held, strict=True):
        assert batch.size() <= MOST_OCTETS or len(records) == 1


def test_a_row_that_is_larger_than_a_batch_has_one_of_its_own() -> None:
    rows = [(b"k", b"x"), (b"k", b"x" * 2 * MOST_OCTETS), (b"k", b"x")]
    assert [read(batch) for batch in made(rows)] == [[row] for row in rows]


def test_a_closed_batch_takes_no_more() -> None:
    (batch,) = made([(b"k", b"x")])
    assert batch.append(key=b"k", value=b"x", timestamp=None) is None


def test_no_rows_are_no_batch() -> None:
    assert made([]) == []
