"""A broker that never answers is given up early, but not one that may hold a request."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.client import AIOKafkaClient, ConnectionGroup
from aiokafka.conn import CloseReason
from aiokafka.errors import KafkaConnectionError, NodeNotReadyError, RequestTimedOutError
from aiokafka.protocol.commit import OffsetCommitRequest
from aiokafka.protocol.group import HeartbeatRequest, JoinGroupRequest, SyncGroupRequest

from pipeline.kafka.client import answers
from pipeline.kafka.client.static_membership import commit_with_name, heartbeat_with_name

HEARTBEAT = HeartbeatRequest("group", 1, "member")
COMMIT = OffsetCommitRequest("group", 1, "member", -1, [])


@pytest.mark.parametrize(
    ("request_", "is_one"),
    [
        pytest.param(HEARTBEAT, True, id="heartbeat"),
        pytest.param(heartbeat_with_name(HEARTBEAT, "name"), True, id="heartbeat-with-name"),
        pytest.param(COMMIT, False, id="commit"),
        pytest.param(commit_with_name(COMMIT, "name"), False, id="commit-with-name"),
        pytest.param(JoinGroupRequest("g", 1, 1, "", None, "consumer", []), False, id="join"),
        pytest.param(SyncGroupRequest("g", 1, "", None, []), False, id="sync"),
    ],
)
def test_a_heartbeat_is_all_that_a_coordinator_answers_at_once(request_, is_one):
    assert answers.is_heartbeat(request_) == is_one


async def test_a_broker_that_takes_a_connection_and_is_silent_is_given_up(monkeypatch):
    monkeypatch.setattr(answers, "BROKER_ANSWER_MS", 200)
    ended = asyncio.Event()

    async def silent(reader, writer):
        """What a broker does that is stopped: the kernel takes what comes."""
        await reader.read()
        writer.close()
        ended.set()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        client = AIOKafkaClient(bootstrap_servers=f"{host}:{port}")
        answers.bound_answers(client)
        began = time.monotonic()
        with pytest.raises(KafkaConnectionError):
            await client.bootstrap()
        assert time.monotonic() - began < 5
        await client.close()
        await asyncio.wait_for(ended.wait(), 5)


async def test_all_that_is_asked_of_a_consumer_may_take_longer_than_one_answer():
    consumer = AIOKafkaConsumer()
    answers.bound_answers(consumer._client)
    assert consumer._client._request_timeout_ms < consumer._request_timeout_ms
    await consumer.stop()


class Connection:
    """aiokafka's: the time for an answer is read when the request is sent."""

    def __init__(self, answer):
        self._request_timeout = 5.0
        self._answer = answer
        self.given = 0.0
        self.closed = None

    def send(self, request):
        self.given = self._request_timeout
        return self._answered()

    async def _answered(self):
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    def close(self, *, reason):
        self.closed = reason


def client_of(connection, *, is_ready=True):
    async def ready(node, *, group):
        return is_ready

    return SimpleNamespace(ready=ready, _conns={(2, ConnectionGroup.COORDINATION): connection})


async def hold(client):
    return await answers.send_and_hold(client, 2, COMMIT, ConnectionGroup.COORDINATION)


async def test_a_request_that_may_be_held_has_its_time_and_the_next_one_the_usual():
    connection = Connection("answer")
    assert await hold(client_of(connection)) == "answer"
    assert (connection.given, connection._request_timeout) == (answers.HELD_SECONDS, 5.0)


async def test_after_its_time_the_connection_is_given_up():
    connection = Connection(TimeoutError())
    with pytest.raises(RequestTimedOutError):
        await hold(client_of(connection))
    assert connection.closed is CloseReason.CONNECTION_TIMEOUT


async def test_without_a_connection_nothing_is_sent():
    with pytest.raises(NodeNotReadyError):
        await hold(client_of(None, is_ready=False))
