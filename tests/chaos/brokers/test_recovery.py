"""The time to recover counts from the loss to messages that were begun after it."""

from __future__ import annotations

import pytest

from tests.chaos.brokers.recovery import Done, Loss, Recovery, recovery_after, table_of

LOSS = Loss("a broker killed", 100.0, 5.0)


@pytest.mark.parametrize(
    ("done", "expected"),
    [
        pytest.param([], Recovery(None, None), id="nothing-done"),
        pytest.param([Done(0, 99.0, 103.0)], Recovery(None, None), id="begun-before"),
        pytest.param([Done(0, 100.0, 101.0)], Recovery(1.0, None), id="one-partition-of-two"),
        pytest.param([Done(0, 101.0, 102.0), Done(1, 101.0, 107.0)], Recovery(2.0, 7.0), id="both"),
        pytest.param(
            [Done(1, 101.0, 109.0), Done(0, 101.0, 102.0), Done(1, 103.0, 104.0)],
            Recovery(2.0, 4.0),
            id="the-first-done-counts-not-the-first-begun",
        ),
    ],
)
def test_recovery_is_from_the_loss_to_the_first_message_of_each_partition(done, expected):
    assert recovery_after(LOSS, done, partitions=2) == expected


def test_the_table_has_a_line_for_each_kind():
    losses = [LOSS, Loss("a broker killed", 200.0, 7.0), Loss("a network cut", 300.0, 2.0)]
    done = [Done(0, at, at + 1.0) for at in (100.0, 200.0)] + [Done(0, 201.0, 203.0)]
    done += [Done(1, 100.0, 104.0), Done(1, 200.0, 206.0)]
    lines = table_of(losses, done, done, partitions=2)
    assert len(lines) == 4
    assert lines[2] == (
        "| a broker killed | 2 | 1.0 s (1.0 s) | 5.0 s (6.0 s) | 1.0 s (1.0 s) | 5.0 s (6.0 s)"
        " | 6.0 s (7.0 s) |"
    )
    assert lines[3] == "| a network cut | 1 | never | never | never | never | 2.0 s |"
