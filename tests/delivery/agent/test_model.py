"""At random: messages, applications that fail, and kills at every point between order and result.

Nothing is lost, nothing is tried more often than the schedule says, and an attempt is made twice
only if its result was not in Kafka when the process was killed.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.kafka import topics
from tests.support.delivering import CRM, NOON, DeliveryPartition, result_of, toml_of

if TYPE_CHECKING:
    from pipeline.delivery.orders import DeliveryOrder
    from pipeline.records import MoDeliveryResult

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("receive"), st.integers(0, 4)),
        st.tuples(st.just("call"), st.booleans()),
        st.tuples(st.just("nobody"), st.none()),
        st.tuples(st.just("acknowledge"), st.none()),
        st.tuples(st.just("take"), st.none()),
        st.tuples(st.just("kill"), st.none()),
        st.tuples(st.just("tick"), st.sampled_from([1, 15, 130])),
    ),
    max_size=120,
)


class Played:
    """The agent, an executor that may be killed at each step, and what the application saw."""

    def __init__(self, toml: str) -> None:
        self.partition = DeliveryPartition(toml)
        self.called: Counter[tuple[str, int]] = Counter()
        self.delivered: Counter[str] = Counter()
        self.received: set[str] = set()
        self.allowed: Counter[tuple[str, int]] = Counter()
        self.seen: list[MoDeliveryResult] = []  # not acknowledged
        self.in_topic: list[MoDeliveryResult] = []  # not taken
        self.taken_over: dict[tuple[str, int], DeliveryOrder] = {}

    def receive(self, handset: int) -> None:
        name = f"m{len(self.received)}"
        self.received.add(name)
        self.partition.receive(name, f"44790000000{handset}")

    def call(self, *, is_delivered: bool) -> None:
        self._take_over()
        if self.taken_over:
            order = self.taken_over.pop(next(iter(self.taken_over)))
            self.called[order.subject_id, order.attempt] += 1
            self.delivered[order.subject_id] += is_delivered
            self.seen.append(result_of(order, delivered=is_delivered))

    def nobody(self) -> None:
        """By SMPP nobody is bound: no attempt is made."""
        self._take_over()
        if self.taken_over:
            order = self.taken_over.pop(next(iter(self.taken_over)))
            self.seen.append(result_of(order, outcome="waiting"))

    def acknowledge(self) -> None:
        if self.seen:
            self.in_topic.append(self.seen.pop(0))

    def take(self) -> None:
        if self.in_topic:
            self.partition.take(topics.MO_DELIVERY_RESULT, self.in_topic.pop(0))

    def tick(self, minutes: int) -> None:
        while self.in_topic:  # the intake takes a tick behind every record before it
            self.take()
        self.partition.tick(timedelta(minutes=minutes))

    def kill(self) -> None:
        for result in self.seen:
            self.allowed[result.subject_id, result.attempt] += 1
        self.seen.clear()
        self.taken_over.clear()
        self.partition.restart()

    def finish(self) -> None:
        """The application is well again: time goes on until nothing is open."""
        for _ in range(60):
            for _ in range(40):
                self.call(is_delivered=True)
                self.acknowledge()
                self.take()
            self.tick(15)

    def _take_over(self) -> None:
        """What the executor holds, up to the acknowledgement of its result, it takes once."""
        held = {(each.delivery_id, each.attempt) for each in self.seen}
        for order in self.partition.handed_over:
            if (order.delivery_id, order.attempt) not in held:
                self.taken_over.setdefault((order.delivery_id, order.attempt), order)
        self.partition.handed_over.clear()


@given(
    STEPS, st.sampled_from(["", "window = 1\n", "ordered = true\n", "window = 2\nordered = true\n"])
)
@settings(max_examples=60, deadline=None)
def test_nothing_is_lost_and_nothing_is_called_more_often_than_kills_explain(
    steps: list[tuple[str, int | bool | None]], more: str
) -> None:
    played = Played(toml_of(CRM + more))
    for step, value in steps:
        match step:
            case "receive":
                played.receive(int(value or 0))
            case "call":
                played.call(is_delivered=bool(value))
            case "tick":
                played.tick(int(value or 1))
            case _:
                getattr(played, step)()
    played.finish()
    given_up = {letter.octets for letter in played.partition.written(topics.DEAD_LETTER)}
    lost = {name for name in played.received if not played.delivered[name]}
    assert len(lost) <= len(given_up)
    for (name, attempt), count in played.called.items():
        assert attempt <= 8
        assert count <= 1 + played.allowed[name, attempt], (name, attempt)
    left = {name for name, count in played.partition.state.sizes().items() if count}
    assert left <= {"directory", "paths"}
    standing = played.partition.written(topics.MO_DELIVERY)
    assert {each.subject_id for each in standing if each.state == "ordered"} == played.received
    assert all(each.at >= NOON for each in standing)
