"""The rate bounds the parts that pass, over any span of time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.sender.calls.bucket import Bucket
from tests.sender.fakes import Clock


def test_without_a_rate_nothing_waits() -> None:
    bucket = Bucket(0.0, clock=Clock())
    assert [bucket.wait(1_000) for _ in range(3)] == [0.0, 0.0, 0.0]


def test_a_sender_without_partitions_waits() -> None:
    bucket = Bucket(10.0, clock=Clock())
    bucket.share = 0.0
    assert bucket.wait(1) == 1.0


def test_a_share_of_the_rate_is_a_share_of_the_parts() -> None:
    clock = Clock()
    bucket = Bucket(10.0, clock=clock)
    bucket.share = 0.5
    clock.now += 60.0
    assert [bucket.wait(1) for _ in range(6)] == [0.0] * 5 + [0.2]


def test_a_message_of_more_parts_than_a_second_lets_waits_for_all_of_them() -> None:
    clock = Clock()
    bucket = Bucket(2.0, clock=clock)
    assert bucket.wait(6) == 3.0


@given(
    rate=st.floats(0.5, 50.0),
    calls=st.lists(st.tuples(st.floats(0.0, 5.0), st.integers(1, 6)), min_size=1, max_size=60),
)
def test_at_no_time_have_more_parts_passed_than_rate_times_time_and_one_second(
    rate: float, calls: list[tuple[float, int]]
) -> None:
    clock = Clock()
    bucket = Bucket(rate, clock=clock)
    begun, passed = clock.now, 0
    for pause, parts in calls:
        clock.now += pause
        clock.now += bucket.wait(parts)  # whoever takes waits before the next may take
        passed += parts
        assert passed <= rate * (clock.now - begun) + max(rate, 1.0) + 1e-6
