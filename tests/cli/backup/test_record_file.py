"""The file of a partition's records: what is written is read, and what is not whole is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli.backup.record_file import (
    BackupBroken,
    Digester,
    PartitionFile,
    SavedRecord,
    records_of,
    records_seen_in,
)

if TYPE_CHECKING:
    from pathlib import Path

RECORD = SavedRecord(7, 1_700_000_000_000, b"447700900001", b"octets", [("a", b"1"), ("b", None)])

saved_records = st.builds(
    SavedRecord,
    st.integers(0, 2**63 - 1),
    st.integers(-1, 2**62),
    st.none() | st.binary(max_size=9),
    st.none() | st.binary(max_size=9),
    st.lists(st.tuples(st.text(max_size=4), st.none() | st.binary(max_size=4)), max_size=3),
)


def written(folder: Path, records: list[SavedRecord]) -> Path:
    path = folder / "0.records"
    with path.open("wb") as file:
        writer = PartitionFile(file)
        for record in records:
            writer.append(record)
    assert writer.digester.seen() == records_seen_in(path)
    return path


@given(records=st.lists(saved_records, max_size=5))
def test_every_record_comes_back(
    tmp_path_factory: pytest.TempPathFactory, records: list[SavedRecord]
) -> None:
    path = written(tmp_path_factory.mktemp("records"), records)

    assert list(records_of(path)) == records
    assert records_seen_in(path).records == len(records)


def test_only_one_digest_is_of_the_offsets() -> None:
    here, elsewhere = Digester(), Digester()
    here.see(RECORD)
    elsewhere.see(RECORD._replace(offset=9))

    assert here.seen().without_offsets == elsewhere.seen().without_offsets
    assert here.seen().with_offsets != elsewhere.seen().with_offsets


@pytest.mark.parametrize(
    "other",
    [
        RECORD._replace(timestamp=1),
        RECORD._replace(key=None),
        RECORD._replace(value=None),
        RECORD._replace(value=b""),
        RECORD._replace(headers=[]),
        RECORD._replace(headers=[("b", None), ("a", b"1")]),
    ],
    ids=["timestamp", "no key", "no value", "empty value", "no headers", "order of headers"],
)
def test_both_digests_are_of_all_else(other: SavedRecord) -> None:
    one, another = Digester(), Digester()
    one.see(RECORD)
    another.see(other)

    assert one.seen().without_offsets != another.seen().without_offsets
    assert one.seen().with_offsets != another.seen().with_offsets


def test_a_file_that_is_cut_anywhere_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, [RECORD])
    whole = path.read_bytes()

    for length in range(1, len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(BackupBroken, match="cut"):
            records_seen_in(path)


def test_a_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackupBroken, match=r"0\.records: No such file"):
        records_seen_in(tmp_path / "0.records")


def test_octets_that_are_no_record_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "0.records"
    path.write_bytes((1).to_bytes(4, "big") + bytes(8) + b"\xc1")  # c1: msgpack never uses it

    with pytest.raises(BackupBroken, match="cannot be read"):
        list(records_of(path))
