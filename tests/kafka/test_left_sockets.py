"""A client of kafka-python that is closed in the middle of something leaves no socket open."""

from __future__ import annotations

import socket

import pytest

from pipeline.cli.ask.broker import open_admin
from tests.support.looking import looks

pytestmark = pytest.mark.broker


def test_a_request_that_is_not_sent_yet_keeps_no_socket_open(kafka: str) -> None:
    with open_admin(kafka) as admin:
        admin.list_topics()
        (transport,) = [
            each.transport for each in admin._manager._conns.values() if each.transport is not None
        ]
        used = transport._sock
        transport._write_buffer.append(b"half a request")
    assert used.fileno() == -1


def test_a_connection_that_is_not_made_yet_keeps_no_socket_open(kafka: str) -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with theirs, open_admin(kafka) as admin:

        async def wait() -> None:
            await admin._net.wait_read(ours)

        admin._net.call_soon_threadsafe(wait())
        for _ in looks(seconds=30, first=0.005):
            if ours in [key.fileobj for key in list(admin._net._selector.get_map().values())]:
                break
    assert ours.fileno() == -1
