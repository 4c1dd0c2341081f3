"""A worker whose membership in the group fails ends, also if it has no partition yet."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from faust.transport.drivers import aiokafka as driver

from pipeline.engine.faust import consumer_thread
from pipeline.engine.faust.consumer_thread import ConsumerThread


async def fail() -> None:
    raise AssertionError("no broker is known")


async def last() -> None:
    await asyncio.Event().wait()


async def end() -> None:
    pass


@pytest.mark.parametrize(("membership", "ended"), [(fail, 1), (last, 0), (end, 0)])
async def test_only_a_failure_ends_the_process(monkeypatch, membership, ended):
    said = []

    async def started(_thread) -> None:
        pass

    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "on_start", started)
    monkeypatch.setattr(consumer_thread, "stop_loudly", lambda what, error: said.append(str(error)))
    task = asyncio.create_task(membership())
    thread = object.__new__(ConsumerThread)
    thread._consumer = SimpleNamespace(_coordinator=SimpleNamespace(_coordination_task=task))
    thread.app = SimpleNamespace(conf=SimpleNamespace(consumer_group_instance_id=""))
    await thread.on_start()
    await asyncio.wait([task], timeout=0.01)
    task.cancel()  # as the consumer does when it is stopped
    await asyncio.gather(task, return_exceptions=True)
    assert said == ["no broker is known"] * ended
