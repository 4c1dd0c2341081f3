"""Fetch sessions: what each request names, and that no record is missed when a session fails."""

from __future__ import annotations

import asyncio
import itertools
import os
from types import SimpleNamespace

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.protocol.fetch import FetchRequest, FetchRequest_v4, FetchRequest_v11
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from pipeline.kafka.client.fetch_session import LAST_EPOCH, FetchSession
from pipeline.kafka.client.paced_consumer import PacedConsumer

PATIENCE_SECONDS = 60
PARTITIONS = 3
# Kafka's protocol guide, error codes.
SESSION_ID_NOT_FOUND, INVALID_SESSION_EPOCH = 70, 71
_tags = itertools.count()


def whole(*places: tuple[str, int, int]) -> FetchRequest:
    topics: dict[str, list[tuple[int, int, int]]] = {}
    for topic, partition, offset in places:
        topics.setdefault(topic, []).append((partition, offset, 100))
    return FetchRequest(500, 1, 1000, 1, list(topics.items()))


class Broker:
    """Keeps the requests, and gives the answers in sequence."""

    def __init__(self, *answers: tuple[int, int] | Exception) -> None:
        self.answers = list(answers)
        self.sent: list[FetchRequest_v11] = []

    async def __call__(self, request: FetchRequest) -> SimpleNamespace:
        self.sent.append(request.build(FetchRequest_v11))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return SimpleNamespace(session_id=answer[0], error_code=answer[1])

    @property
    def sessions(self) -> list[tuple[int, int]]:
        return [(request.session_id, request.session_epoch) for request in self.sent]

    @property
    def named(self) -> list[dict[str, list[tuple[int, int]]]]:
        """Partition and offset by topic, for each request."""
        return [
            {topic: [(p[0], p[2]) for p in partitions] for topic, partitions in request.topics}
            for request in self.sent
        ]


async def test_a_fetch_names_what_changed_and_what_is_fetched_no_more():
    broker, session = Broker((7, 0), (7, 0), (7, 0)), FetchSession()
    await session.fetch(broker, whole(("a", 0, 5), ("a", 1, 5), ("b", 0, 5)))
    await session.fetch(broker, whole(("a", 0, 5), ("a", 1, 6), ("b", 0, 5)))
    await session.fetch(broker, whole(("a", 1, 6), ("c", 2, 0)))
    assert broker.sessions == [(0, 0), (7, 1), (7, 2)]
    assert broker.named == [
        {"a": [(0, 5), (1, 5)], "b": [(0, 5)]},
        {"a": [(1, 6)]},
        {"c": [(2, 0)]},
    ]
    forgotten = [dict(request.forgotten_topics_data) for request in broker.sent]
    assert forgotten == [{}, {}, {"a": [0], "b": [0]}]


@pytest.mark.parametrize(
    ("answer", "then"),
    [
        pytest.param((0, SESSION_ID_NOT_FOUND), (7, 0), id="the broker has forgotten the session"),
        pytest.param((0, INVALID_SESSION_EPOCH), (7, 0), id="the broker is at another fetch"),
        pytest.param((0, 0), (0, 0), id="the broker has no room for the session"),
        pytest.param(ConnectionError(), (7, 0), id="no answer"),
    ],
)
async def test_everything_is_named_again_after(answer, then):
    broker, session = Broker((7, 0), answer, (8, 0), (8, 0)), FetchSession()
    places = ("a", 0, 5), ("a", 1, 5)
    await session.fetch(broker, whole(*places))
    if isinstance(answer, Exception):
        with pytest.raises(type(answer)):
            await session.fetch(broker, whole(*places))
    else:
        await session.fetch(broker, whole(*places))
    await session.fetch(broker, whole(*places))
    await session.fetch(broker, whole(*places))
    assert broker.sessions == [(0, 0), (7, 1), then, (8, 1)]
    assert broker.named[2:] == [{"a": [(0, 5), (1, 5)]}, {}]


async def test_a_cancelled_fetch_is_followed_by_one_that_names_everything():
    broker, session = Broker((7, 0), (7, 0)), FetchSession()
    await session.fetch(broker, whole(("a", 0, 5)))
    waiting = asyncio.create_task(session.fetch(lambda _: asyncio.Future(), whole(("a", 0, 6))))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    await session.fetch(broker, whole(("a", 0, 6)))
    assert broker.sessions == [(0, 0), (7, 0)]
    assert broker.named[1] == {"a": [(0, 6)]}


async def test_after_the_last_epoch_comes_the_first():
    """KIP-227: epoch 0 begins a session, so the count continues at 1."""
    broker, session = Broker((7, 0), (7, 0), (7, 0)), FetchSession()
    await session.fetch(broker, whole(("a", 0, 5)))
    session._epoch = LAST_EPOCH
    await session.fetch(broker, whole(("a", 0, 5)))
    await session.fetch(broker, whole(("a", 0, 5)))
    assert broker.sessions == [(0, 0), (7, LAST_EPOCH), (7, 1)]


async def test_a_broker_without_sessions_is_sent_everything_each_time():
    sent = []

    async def send(request: FetchRequest) -> SimpleNamespace:
        sent.append(request.build(FetchRequest_v4))
        return SimpleNamespace()  # an answer of that version has neither session nor error

    session = FetchSession()
    for _ in range(2):
        await session.fetch(send, whole(("a", 0, 5)))
    assert [request.topics for request in sent] == [[("a", [(0, 5, 100)])]] * 2


@pytest.fixture
def topic(kafka: str) -> str:
    name = f"session{os.getpid()}-{next(_tags)}"
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    admin.create_topics([NewTopic(name, PARTITIONS, 1)])
    admin.close()
    return name


@pytest.mark.broker
async def test_a_broker_gives_every_record_whatever_becomes_of_the_session(kafka, topic):
    places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    consumer = PacedConsumer(gap_seconds=lambda: 0.0, bootstrap_servers=kafka)
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        await consumer.start()
        try:
            consumer.assign(places)
            await consumer.seek_to_beginning()

            async def seen(*published: int, count: int) -> list[tuple[int, int]]:
                """Publish to these partitions; return partition and offset of the next records."""
                for number in published:
                    await producer.send_and_wait(topic, b"x", partition=number)
                async with asyncio.timeout(PATIENCE_SECONDS):
                    records = [await consumer.getone() for _ in range(count)]
                return sorted((record.partition, record.offset) for record in records)

            assert await seen(0, 1, 2, count=3) == [(0, 0), (1, 0), (2, 0)]
            assert await seen(1, count=1) == [(1, 1)]
            (session,) = consumer._sessions.values()
            assert session._id > 0
            consumer.pause(places[0])
            assert await seen(0, 2, count=1) == [(2, 1)]
            consumer.resume(places[0])
            assert await seen(count=1) == [(0, 1)]
            consumer.seek(places[1], 0)
            assert await seen(count=2) == [(1, 0), (1, 1)]
            session._id += 1  # the broker knows no such session
            assert await seen(0, 2, count=2) == [(0, 2), (2, 2)]
            consumer.assign(places[1:])
            consumer.seek(places[1], 1)
            consumer.seek(places[2], 3)
            assert await seen(2, count=2) == [(1, 1), (2, 3)]
        finally:
            await consumer.stop()
