"""A record goes to the partition to which every other Kafka client would send its key."""

from __future__ import annotations

from aiokafka.partitioner import DefaultPartitioner
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.kafka.topics import partition_of


@given(st.binary(max_size=64), st.integers(1, 100))
@example(b"", 12)
@example(b"279912345678", 12)
@example(b"\xff\xfe\xfd", 7)
def test_the_partition_of_a_key_is_the_default_partitioners(key, partitions):
    every = list(range(partitions))
    assert partition_of(key, partitions) == DefaultPartitioner()(key, every, every)
