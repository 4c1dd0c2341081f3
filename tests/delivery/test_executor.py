"""The executor: who waits for whom, what is made once, and what a dead path does to the others."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline.avro import single_object
from pipeline.delivery.executor import Executor
from pipeline.delivery.secrets_file import NONE
from pipeline.delivery.ways.make import reply_way_of
from tests.delivery.application import HANG, OK, Application, answer, serving
from tests.delivery.test_forms import path_by
from tests.delivery.ways.test_http import order_by
from tests.support.delivering import message

if TYPE_CHECKING:
    import pytest

    from pipeline.delivery.orders import DeliveryOrder
    from pipeline.records import MoDeliveryResult, ReplyPath


class Post:
    """Keeps results, and acknowledges them when it may."""

    def __init__(self) -> None:
        self.results: list[MoDeliveryResult] = []
        self.may_acknowledge = asyncio.Event()
        self.may_acknowledge.set()

    async def tell(self, result: MoDeliveryResult) -> None:
        self.results.append(result)
        await self.may_acknowledge.wait()

    def of(self, paths: str) -> int:
        """How many results there are of paths whose names begin so."""
        return sum(each.path.startswith(paths) for each in self.results)


def executor_with(post: Post, *, owned: bool = True) -> Executor:
    return Executor(
        post,
        make_way=lambda path: reply_way_of(path, NONE),
        owns=lambda _: owned,
        now=lambda: datetime.now(UTC),
    )


def order(path: ReplyPath, name: str, *, handset: str = "", attempt: int = 1) -> DeliveryOrder:
    made = order_by(path, message(name))
    return replace(
        made,
        delivery_id=name,
        subject_id=name,
        handset=handset or name,
        octets=single_object.encode(message(name, handset or name)),
        attempt=attempt,
        is_first_try=attempt == 1,
    )


async def until(post: Post, count: int, *, seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while len(post.results) < count:  # noqa: ASYNC110 - none tells
            await asyncio.sleep(0.005)


async def test_first_tries_of_a_handset_go_one_after_the_other_and_a_retry_beside_them() -> None:
    post = Post()
    async with serving(Application(seconds=0.2)) as application:
        executor = executor_with(post)
        path = path_by("http-post", url=application.url)
        for at in range(3):
            executor.take(order(path, f"m{at}", handset="4479"))
        await asyncio.sleep(0.1)
        assert application.at_once == 1
        executor.take(order(path, "retry", handset="4479", attempt=2))
        await asyncio.sleep(0.05)
        assert application.at_once == 2
        await until(post, 4)
        await executor.close()
    firsts = [each.subject_id for each in post.results if each.attempt == 1]
    assert firsts == ["m0", "m1", "m2"]


async def test_an_attempt_is_held_until_its_result_is_acknowledged_and_made_once() -> None:
    post = Post()
    post.may_acknowledge.clear()
    async with serving(Application()) as application:
        executor = executor_with(post)
        one = order(path_by("http-post", url=application.url), "m1")
        for _ in range(3):
            executor.take(one)
            await until(post, 1)
        assert len(executor) == 1
        post.may_acknowledge.set()
        while len(executor):  # noqa: ASYNC110 - none tells
            await asyncio.sleep(0.005)
        assert len(application.requests) == 1
        await executor.close()


async def test_what_an_application_repeats_is_in_the_result_and_not_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    post, repeated = Post(), b"Meet me at noon, 447700940001"
    async with serving(Application([answer("500 No", body=repeated)])) as application:
        executor = executor_with(post)
        executor.take(order(path_by("http-post", url=application.url), "m1"))
        await until(post, 1)
        await executor.close()
    assert "Meet me at noon" in post.results[0].words
    assert "attempt 1 of m1, of the record m1, failed: 500" in caplog.text
    assert "Meet me" not in caplog.text
    assert "447700940001" not in caplog.text


async def test_an_order_of_a_partition_that_is_gone_is_anothers() -> None:
    post = Post()
    async with serving(Application()) as application:
        executor = executor_with(post, owned=False)
        executor.take(order(path_by("http-post", url=application.url), "m1"))
        await asyncio.sleep(0.1)
        await executor.close()
        assert application.requests == []
    assert post.results == []


async def test_a_fault_of_ours_in_a_way_is_an_attempt_that_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(*_: object) -> None:
        raise KeyError("a handset")

    monkeypatch.setattr("pipeline.delivery.ways.http.HttpReplyWay.deliver", fail)
    post = Post()
    executor = executor_with(post)
    executor.take(order(path_by("http-post"), "m1"))
    await until(post, 1)
    await executor.close()
    (result,) = post.results
    assert (result.outcome, result.words) == ("failed", "KeyError")


async def test_a_path_that_is_written_anew_is_used_as_it_is_now() -> None:
    post = Post()
    async with serving(Application()) as one, serving(Application()) as other:
        executor = executor_with(post)
        executor.take(order(path_by("http-post", url=one.url), "m1"))
        await until(post, 1)
        executor.take(order(path_by("http-post", url=other.url), "m2"))
        await until(post, 2)
        await executor.close()
    assert (len(one.requests), len(other.requests)) == (1, 1)


#: What twenty of two hundred applications do, beside answering.
DEAD = {
    "hangs": Application([HANG]),
    "cuts": Application([b"HTTP/1.1 200"]),
    "refuses": Application([answer("500 No")]),
    "is slow": Application([OK], seconds=3.0),
}


async def test_twenty_dead_paths_of_two_hundred_do_not_slow_the_others() -> None:
    """Compared with the same hundred and eighty without the dead ones."""
    alone = await _seconds_of_the_living(dead=0)
    beside = await _seconds_of_the_living(dead=20)
    assert beside < 3 * alone + 2.0


async def _seconds_of_the_living(*, dead: int) -> float:
    post = Post()
    living, each_gets, window = 180, 3, 16
    async with AsyncExitStack() as stack:
        application = await stack.enter_async_context(serving(Application(seconds=0.005)))
        dying = [
            await stack.enter_async_context(
                serving(Application(list(kind.answers), closes=True, seconds=kind.seconds))
            )
            for kind in DEAD.values()
        ]
        executor = executor_with(post)
        for at in range(dead):
            path = path_by("http-post", name=f"dead{at}", url=dying[at % len(dying)].url)
            for message_at in range(window):
                executor.take(order(path, f"dead{at}-{message_at}"))
        await asyncio.sleep(0.2)
        began = time.monotonic()
        for at in range(living):
            path = path_by("http-post", name=f"living{at}", url=application.url)
            for message_at in range(each_gets):
                executor.take(order(path, f"living{at}-{message_at}"))
        async with asyncio.timeout(60):
            while post.of("living") < living * each_gets:  # noqa: ASYNC110 - none tells
                await asyncio.sleep(0.01)
        took = time.monotonic() - began
        closing = asyncio.create_task(executor.close())
        await asyncio.sleep(0)
        for task in list(executor._tasks):
            task.cancel()
        await closing
    failures = [each for each in post.results if each.outcome == "failed" and each.path[0] == "l"]
    assert failures == []
    return took
