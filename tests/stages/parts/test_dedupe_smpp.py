"""A deliver_sm that the gateway sends again is a duplicate; one that the handset repeats is not."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from pipeline.records import Answered, MoPart, MoRaw
from pipeline.stages.parts.dedupe_smpp import SENT_AGAIN_WITHIN, accept_delivery, without_answered
from pipeline.stages.parts.normalise import normalise
from tests.support.mo import DIRECTORY, NOON
from tests.wire.smpp.test_callback import pdu_of, raw_of

Step = tuple[str, str, int]
T, A = "taken", "answered"  # what a step is


class Topic:
    """The table `seen` after mo-raw, as the agent keeps it."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}
        self.accepted: list[tuple[str, int]] = []
        self.part_ids: list[str] = []

    def take(self, bind: str, delivery: int, *, minute: float = 0.0, text: bytes = b"YES") -> None:
        raw = msgspec.structs.replace(
            raw_of(pdu_of(text)),
            bind=bind,
            delivery=delivery,
            received_at=NOON + timedelta(minutes=minute),
        )
        part = part_of(raw)
        key = bytes.fromhex(part.part_id)
        self.rows[key], accepted = accept_delivery(self.rows.get(key), part, raw)
        if accepted is not None:
            self.accepted.append((bind, delivery))
            self.part_ids.append(accepted.part_id)

    def answer(self, bind: str, delivery: int) -> None:
        key = bytes.fromhex(part_of(raw_of_bind(bind)).part_id)
        row = self.rows.pop(key, None)
        left = row and without_answered(row, Answered(key=key, bind=bind, delivery=delivery))
        if left:
            self.rows[key] = left


def raw_of_bind(bind: str) -> MoRaw:
    return msgspec.structs.replace(raw_of(pdu_of(b"YES")), bind=bind, delivery=1)


def part_of(raw: MoRaw) -> MoPart:
    part = normalise(raw, partition=0, offset=0, directory=DIRECTORY, default_charset="")
    assert isinstance(part, MoPart)
    return part


@pytest.mark.parametrize(
    ("steps", "accepted"),
    [
        pytest.param([(T, "a", 1), (T, "a", 2)], [("a", 1), ("a", 2)], id="twice-by-one-bind"),
        pytest.param([(T, "a", 1), (T, "b", 1)], [("a", 1)], id="sent-again-after-kill-9"),
        pytest.param(
            [(T, "a", 1), (A, "a", 1), (T, "b", 1)],
            [("a", 1), ("b", 1)],
            id="said-again-by-another-bind-after-the-answer-arrived",
        ),
        pytest.param(
            [(T, "a", 1), (T, "a", 2), (T, "b", 1), (T, "b", 2)],
            [("a", 1), ("a", 2)],
            id="both-of-two-equal-ones-sent-again",
        ),
        pytest.param(
            [(T, "a", 1), (T, "a", 2), (A, "a", 1), (T, "b", 1), (T, "b", 2)],
            [("a", 1), ("a", 2), ("b", 2)],
            id="one-of-two-sent-again-and-then-said-a-third-time",
        ),
        pytest.param(
            [(T, "a", 1), (T, "b", 1), (T, "c", 1)], [("a", 1)], id="killed-twice-in-a-row"
        ),
        pytest.param(
            [(T, "a", 1), (T, "b", 1), (A, "b", 1), (T, "c", 1)],
            [("a", 1), ("c", 1)],
            id="sent-again-answered-and-said-again",
        ),
        pytest.param(
            [(T, "a", 1), (A, "b", 1), (T, "b", 2)],
            [("a", 1)],
            id="the-answer-of-another-one-changes-nothing",
        ),
        pytest.param(
            [(T, "b", 1), (T, "a", 1)], [("b", 1)], id="what-was-given-up-on-arrives-last"
        ),
    ],
)
def test_only_what_was_sent_again_is_a_duplicate(
    steps: list[Step], accepted: list[tuple[str, int]]
) -> None:
    topic, again = Topic(), Topic()
    for each in (topic, again):
        for what, bind, delivery in steps:
            (each.take if what == T else each.answer)(bind, delivery)
    assert topic.accepted == accepted
    assert len(set(topic.part_ids)) == len(accepted)
    assert again.part_ids == topic.part_ids  # a replay decides alike


def test_another_text_is_another_message() -> None:
    topic = Topic()
    topic.take("a", 1)
    topic.take("b", 1, text=b"NO")
    assert topic.accepted == [("a", 1), ("b", 1)]


@pytest.mark.parametrize(("late", "is_accepted"), [(0.0, False), (1.0, True)])
def test_after_the_gateways_last_retry_it_is_a_new_message(late: float, is_accepted: bool) -> None:
    topic = Topic()
    topic.take("a", 1)
    topic.take("b", 1, minute=SENT_AGAIN_WITHIN / timedelta(minutes=1) + late)
    assert (("b", 1) in topic.accepted) is is_accepted


def test_nothing_is_remembered_of_what_was_answered() -> None:
    topic = Topic()
    for delivery in range(1, 5):
        topic.take("a", delivery)
    for delivery in range(1, 5):
        topic.answer("a", delivery)
    assert topic.rows == {}
