"""In doubt a stop counts: a STOP that looks like a repeat, after a message that re-enables."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import pytest

from pipeline.avro import single_object
from pipeline.kafka import topics
from pipeline.records import MoRaw
from pipeline.wire import http_form, mo_log
from pipeline.wire.callback import MoCallback
from tests.conversation.test_agent import HANDSET, NOON, NUMBER, NUMBERS, Partition
from tests.wire.smpp.test_callback import pdu_of, raw_of

UNREADABLE = ("yesterday", "2026-03-01T12:00:00", "01/03/2026 12:00", "0000-00-00 00:00:00")
MINUTE = timedelta(minutes=1)
TEXTS = ("STOP", "hello", "STOP")


@pytest.fixture
def partition() -> Partition:
    partition = Partition()
    partition.take(topics.NUMBERS, single_object.encode(NUMBERS))
    return partition


def says(partition: Partition, text: str, at: datetime, **stated: str) -> None:
    """A callback by HTTP."""
    callback = MoCallback(
        handset=HANDSET, number=NUMBER, octets=text.encode(), api_id="1", **stated
    )
    query = http_form.render(callback)
    raw = MoRaw(
        source="http", received_at=at, method="GET", content_type="", query=query, octets=b""
    )
    partition.take(topics.MO_RAW, single_object.encode(raw), HANDSET.encode())


def passes(partition: Partition) -> bool:
    """Whether an MT to the handset passes."""
    count = len(partition.written(topics.MT_COMMAND))
    partition.request(f"r{len(partition.outputs)}")
    return len(partition.written(topics.MT_COMMAND)) > count


def messages(partition: Partition) -> list[str]:
    return [message.text for message in partition.written(topics.MO_MESSAGE)]


@pytest.mark.parametrize("words", UNREADABLE)
@pytest.mark.parametrize("minutes", [1, 60, 126])
def test_a_second_stop_counts_after_a_message_that_re_enables(partition, words, minutes) -> None:
    for number, text in enumerate(TEXTS):
        says(partition, text, NOON + number * minutes * MINUTE, timestamp=words)
        assert passes(partition) == (text == "hello")
    assert messages(partition) == [*TEXTS]
    changes = [each.state for each in partition.written(topics.CONSENT_CHANGE)]
    assert changes == ["confirmation-due", "open", "confirmation-due"]
    ids = [part.part_id for part in partition.written(topics.MO_PART)]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("words", UNREADABLE)
def test_a_retry_of_a_stop_changes_nothing_where_it_holds(partition, words) -> None:
    for text in TEXTS:
        for retry in (0, 2, 6, 14):
            says(partition, text, NOON + retry * MINUTE, timestamp=words)
    assert messages(partition) == [*TEXTS]


@pytest.mark.parametrize("text", ["hello", "HELP", "please do not cancel", "START"])
def test_a_repeat_that_is_no_stop_is_one(partition, text) -> None:
    says(partition, text, NOON, timestamp="yesterday")
    says(partition, "STOP", NOON + MINUTE, timestamp="yesterday")
    says(partition, text, NOON + 2 * MINUTE, timestamp="yesterday")
    assert messages(partition) == [text, "STOP"]
    assert not passes(partition)


def test_a_stop_that_is_known_by_id_or_time_is_a_repeat_of_the_old_one(partition) -> None:
    for stated in ({"mo_msg_id": "m1", "timestamp": "yesterday"}, {"timestamp": at(NOON)}):
        says(partition, "STOP", NOON, **stated)
        says(partition, f"hello {stated}", NOON + MINUTE)
        count = len(messages(partition))
        says(partition, "STOP", NOON + 2 * MINUTE, **stated)
        assert len(messages(partition)) == count
        assert passes(partition)


def delivers(partition: Partition, text: str, at: datetime, *, bind: str, delivery: int) -> None:
    """A deliver_sm, which states neither an id nor a time."""
    pdu = pdu_of(text.encode(), source=HANDSET, destination=NUMBER)
    raw = msgspec.structs.replace(raw_of(pdu), received_at=at, bind=bind, delivery=delivery)
    partition.take(topics.MO_RAW, single_object.encode(raw), HANDSET.encode())


def test_a_stop_by_another_bind_counts_after_a_message_that_re_enables(partition) -> None:
    for number, (text, bind) in enumerate([("STOP", "a"), ("hello", "a"), ("STOP", "b")]):
        delivers(partition, text, NOON + number * MINUTE, bind=bind, delivery=number + 1)
        assert passes(partition) == (text == "hello")
    assert messages(partition) == [*TEXTS]
    ids = [part.part_id for part in partition.written(topics.MO_PART)]
    assert len(set(ids)) == len(ids)


def test_a_deliver_sm_sent_again_is_one_where_it_changes_nothing(partition) -> None:
    for bind in ("a", "b", "c"):
        delivers(partition, "STOP", NOON, bind=bind, delivery=1)
    delivers(partition, "hello", NOON + MINUTE, bind="c", delivery=2)
    delivers(partition, "hello", NOON + MINUTE, bind="d", delivery=1)
    assert messages(partition) == ["STOP", "hello"]
    assert passes(partition)


def at(time: datetime) -> str:
    """A time as the gateway states it (G8.3.1)."""
    return f"{time + timedelta(hours=2):%Y-%m-%d %H:%M:%S}"


def test_a_log_that_is_read_again_changes_nothing(partition) -> None:
    lines = [
        mo_log.render(
            MoCallback(
                handset=HANDSET,
                number=NUMBER,
                octets=text.encode(),
                api_id="1",
                timestamp=words,
                charset="ISO-8859-1",
            )
        )
        for text, words in (("STOP", "yesterday"), ("hello", at(NOON)))
    ]
    for _ in range(2):
        for line in lines:
            raw = MoRaw(
                source="ftp",
                received_at=NOON + 60 * MINUTE,
                method="",
                content_type="",
                query=b"",
                octets=line,
                neighbour_time=NOON,
            )
            partition.take(topics.MO_RAW, single_object.encode(raw), HANDSET.encode())
        assert passes(partition)
    assert messages(partition) == ["STOP", "hello"]
