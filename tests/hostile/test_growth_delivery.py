"""However many messages wait, each costs the same: of one handset, of a dead path, at a tick."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from pipeline.stages.delivering.path import FAILURES
from tests.hostile.growth import refuse_steep_growth
from tests.support.delivering import CRM, DeliveryPartition, toml_of


@pytest.mark.parametrize(
    "more",
    [
        pytest.param("ordered = true\n", id="of one handset, in order"),
        pytest.param("window = 1\n", id="in a line"),
    ],
)
def test_what_waits_grows_with_its_number_and_no_faster(more: str) -> None:
    def receive_and_deliver(count: int) -> None:
        partition = DeliveryPartition(toml_of(CRM + more))
        for at in range(count):
            partition.receive(f"m{at}")
        while partition.handed_over:
            partition.result(partition.next_order(), delivered=True)
        assert partition.rows("deliveries") == 0

    refuse_steep_growth(lambda count: partial(receive_and_deliver, count), largest=4_000)


def test_a_dead_path_costs_a_tick_no_more_with_more_that_waits() -> None:
    def receive_and_tick(count: int) -> None:
        partition = DeliveryPartition(toml_of(CRM + "window = 1000\n"))
        for at in range(FAILURES + count):
            partition.receive(f"m{at}", f"4479{at:08}")
            if at < FAILURES:
                partition.result(partition.next_order())
        for _ in range(count):
            partition.tick(timedelta(milliseconds=10))

    refuse_steep_growth(lambda count: partial(receive_and_tick, count), largest=4_000)
