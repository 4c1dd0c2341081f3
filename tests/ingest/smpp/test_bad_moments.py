"""A gateway closes the connection at a bad moment, on the event loop that the process uses."""

from __future__ import annotations

import asyncio
import functools
import logging
import socket
import struct
from typing import TYPE_CHECKING, Any

import pytest
import uvloop

from ingest.smpp import process
from pipeline.wire.smpp.pdu import Command, Pdu
from tests.ingest.http.support import FakePublisher
from tests.ingest.smpp.smsc import receiving, until, with_sequence
from tests.wire.smpp.test_callback import pdu_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path


def on_uvloop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test on the event loop of the process: its transports differ from asyncio's."""

    @functools.wraps(test)
    def run(*arguments: Any, **named: Any) -> None:
        uvloop.run(test(*arguments, **named))

    return run


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "BACKOFF_SECONDS", (0.01, 0.02))
    monkeypatch.setattr("ingest.smpp.session.CONFIRM_SECONDS", 0.001)


def reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST instead of FIN."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@pytest.mark.parametrize("window", [1, 20, 1000])
@pytest.mark.parametrize("asks", [False, True])
@on_uvloop
async def test_a_reset_while_deliveries_wait_ends_the_bind_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, window: int, asks: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    publisher = FakePublisher(held=asyncio.get_running_loop().create_future())
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    async with receiving(tmp_path, publisher, smpp_window=window) as (smsc, _, running):
        for _ in range(5):
            session = await smsc.bound()
            for number in range(50):
                session.writer.write(with_sequence(pdu_of(), number + 1))
                if asks:
                    session.send(Command.ENQUIRE_LINK, 1000 + number)
            await asyncio.wait_for(publisher.asked.wait(), 5)
            held, publisher.held = publisher.held, asyncio.get_running_loop().create_future()
            reset(session.writer)
            if held is not None:
                held.set_result(True)
            publisher.asked.clear()
        session = await smsc.bound()
        publisher.held = None
        assert await session.deliver(pdu_of(), sequence=7) == 0
        assert not running.done()
    assert failures == []
    assert "447700900" not in caplog.text


@on_uvloop
async def test_only_a_bind_that_lasted_has_the_next_one_tried_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def note(most: float) -> float:
        waits.append(most)
        return 0.0

    monkeypatch.setattr(process, "spread", note)
    monkeypatch.setattr(process, "BACKOFF_SECONDS", (1.0, 30.0))
    async with receiving(tmp_path, FakePublisher()) as (smsc, _, _):
        for _ in range(7):
            reset((await smsc.bound()).writer)
        await until(lambda: len(waits) >= 7)
        assert waits[:7] == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
        monkeypatch.setattr(process, "LASTED_SECONDS", 0.0)
        reset((await smsc.bound()).writer)
        await until(lambda: len(waits) >= 8)
        assert waits[7] == 1.0


@on_uvloop
async def test_octets_that_become_no_pdu_are_no_sign_of_life(tmp_path: Path) -> None:
    async with receiving(tmp_path, FakePublisher(), smpp_enquire_seconds=0.1) as (smsc, _, _):
        session = await smsc.bound()
        session.writer.write(b"\0\0\xff\0")

        async def drip() -> None:
            while not session.writer.is_closing():
                session.writer.write(b"x")
                await asyncio.sleep(0.01)

        dripping = asyncio.create_task(drip())
        await smsc.bound()
        dripping.cancel()


def test_a_pdu_is_shown_without_its_body() -> None:
    assert repr(Pdu(5, 0, 7, b"447700900001 secret")) == (
        "Pdu(0x00000005, status 0, sequence 7, 19 octets)"
    )
