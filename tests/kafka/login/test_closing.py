"""Closing a connection with TLS waits for no broker (RFC 8446 6.1 asks for no answer)."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import trustme
import uvloop
from aiokafka.conn import AIOKafkaConnection

from pipeline.kafka.login.closing import close_at_once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOST = "127.0.0.1"
#: asyncio and uvloop wait 30 s for the answer.
SOON = 10.0


async def asks_nothing(_: AIOKafkaConnection) -> None:
    """The broker of these tests could not answer."""


@contextmanager
def silent_broker(authority: trustme.CA) -> Iterator[int]:
    """Completes the handshake, and then neither reads nor writes; gives its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    done = threading.Event()
    with socket.create_server((HOST, 0)) as listener:

        def serve() -> None:
            with context.wrap_socket(listener.accept()[0], server_side=True):
                done.wait(60)

        serving = threading.Thread(target=serve)
        serving.start()
        try:
            yield listener.getsockname()[1]
        finally:
            done.set()
            serving.join()


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_a_client_does_not_wait_until_the_broker_agrees(
    run: Callable[..., float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AIOKafkaConnection, "_do_version_lookup", asks_nothing)
    authority = trustme.CA()
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    async def seconds_of_closing(port: int) -> float:
        close_at_once()
        connection = AIOKafkaConnection(
            HOST, port, security_protocol="SSL", ssl_context=trusting, request_timeout_ms=5_000
        )
        await connection.connect()
        began = time.monotonic()
        async with asyncio.timeout(SOON):
            await connection.close()
        assert not connection.connected()
        return time.monotonic() - began

    with silent_broker(authority) as port:
        assert run(seconds_of_closing(port)) < SOON
