"""A fetch whose header keys are not UTF-8 is read, and no record is lost."""

from __future__ import annotations

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED
from aiokafka.record._crecords import DefaultRecordBatchBuilder

from pipeline.kafka.client import lenient_records, paced_consumer

assert paced_consumer  # it installs the reading under test
CODECS = {"plain": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


def batch(base: int, keys: list[bytes], *, codec: int) -> bytes:
    """A batch with one record for each key; octets that no str can hold are put in afterwards."""
    builder = DefaultRecordBatchBuilder(2, codec, 0, -1, -1, -1, 1 << 20)
    for number, key in enumerate(keys):
        name = key.decode("latin-1") if codec else "k" * len(key)
        assert builder.append(number, number, b"key", b"v%d" % number, [(name, b"x")])
    octets = bytearray(builder.build())
    octets[:8] = base.to_bytes(8, "big")
    if not codec:
        for key in keys:
            at = octets.index(b"k" * len(key) + b"\x02x")
            octets[at : at + len(key)] = key
    return bytes(octets)


def read(octets: bytes, *, offset: int = 0) -> list[tuple[int, bytes, list]]:
    records = lenient_records._LenientPartitionRecords(
        TopicPartition("t", 0),
        lenient_records._KeptRecords(octets),
        [],
        offset,
        None,
        None,
        False,
        READ_COMMITTED,
    )
    return [(r.offset, r.value, list(r.headers)) for r in records]


@pytest.mark.parametrize("bad", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"a\x80b"])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_bad_key_loses_no_record_and_gives_none_twice(bad: bytes, at: int) -> None:
    keys = [b"one", b"two", b"six"]
    keys[at] = bad
    good = batch(0, [b"aaa", b"bbb"], codec=0)
    octets = good + batch(2, keys, codec=0) + batch(5, [b"zzz"], codec=0)
    found = read(octets)
    assert [offset for offset, _, _ in found] == [0, 1, 2, 3, 4, 5]
    words = bad.decode("utf-8", "backslashreplace")
    assert found[2 + at] == (2 + at, b"v%d" % at, [(words, b"x")])
    assert found[5][2] == [("zzz", b"x")]


def test_reading_begins_where_the_consumer_stands() -> None:
    octets = batch(0, [b"aaa", b"\xff\xff\xff", b"ccc"], codec=0)
    assert [offset for offset, _, _ in read(octets, offset=2)] == [2]


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_good_keys_are_read_as_before(codec: int) -> None:
    octets = batch(7, [b"one", b"two"], codec=codec)
    assert [r[2] for r in read(octets, offset=7)] == [[("one", b"x")], [("two", b"x")]]
