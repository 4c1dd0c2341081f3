"""A cut link passes nothing on and ends no connection; mended, it delivers what was written."""

from __future__ import annotations

import socket
import threading

import pytest

from pipeline.cli.local.ports import LOOPBACK, free_port
from tests.chaos.brokers.links import Link, Links

QUIET_SECONDS = 0.3
PATIENCE_SECONDS = 5.0


def echo(listening):
    """Say again what each connection says."""
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=_say_again, args=(connection,), daemon=True).start()


def _say_again(connection):
    with connection:
        while octets := connection.recv(1024):
            connection.sendall(octets)


@pytest.fixture
def links():
    """Two links to one server: `here` and `there`."""
    with socket.create_server((LOOPBACK, 0)) as listening:
        threading.Thread(target=echo, args=(listening,), daemon=True).start()
        to = listening.getsockname()
        given = [
            Link("here", (LOOPBACK, free_port()), to),
            Link("there", (LOOPBACK, free_port()), to),
        ]
        made = Links(given)
        made.start()
        made.at = {link.name: link.at for link in given}
        yield made
        made.stop()
        listening.shutdown(socket.SHUT_RDWR)


def connected(links, name):
    connection = socket.create_connection(links.at[name])
    connection.settimeout(PATIENCE_SECONDS)
    return connection


def answer(connection, octets):
    connection.sendall(octets)
    return connection.recv(1024)


def test_a_link_passes_on_in_both_directions(links):
    with connected(links, "here") as connection:
        assert answer(connection, b"one") == b"one"


def test_a_cut_link_is_silent_and_what_was_said_arrives_once_it_is_mended(links):
    with connected(links, "here") as connection, connected(links, "there") as other:
        assert answer(connection, b"one") == b"one"
        links.cut({"here"})
        connection.sendall(b"two")
        connection.settimeout(QUIET_SECONDS)
        with pytest.raises(TimeoutError):
            connection.recv(1024)
        assert answer(other, b"three") == b"three"
        links.cut(())
        connection.settimeout(PATIENCE_SECONDS)
        assert connection.recv(1024) == b"two"


def test_a_connection_to_a_cut_link_gets_no_answer_until_it_is_mended(links):
    links.cut({"here"})
    with connected(links, "here") as connection:
        connection.settimeout(QUIET_SECONDS)
        with pytest.raises(TimeoutError):
            answer(connection, b"one")
        links.cut(())
        connection.settimeout(PATIENCE_SECONDS)
        assert connection.recv(1024) == b"one"


def test_a_server_that_is_gone_ends_the_connection():
    nobody = Links([Link("gone", (LOOPBACK, port := free_port()), (LOOPBACK, free_port()))])
    nobody.start()
    try:
        with socket.create_connection((LOOPBACK, port)) as connection:
            connection.settimeout(PATIENCE_SECONDS)
            assert connection.recv(1024) == b""
    finally:
        nobody.stop()
