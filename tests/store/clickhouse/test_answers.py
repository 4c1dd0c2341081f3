"""An answer of a ClickHouse server is bounded below the driver, whatever the driver does."""

from __future__ import annotations

import gzip
import ssl
import threading
import time
from contextlib import nullcontext, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest
import trustme
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError
from urllib3.exceptions import HTTPError

from pipeline.store.clickhouse import database
from pipeline.store.clickhouse.answers import (
    AnswerUnreadable,
    BoundedPool,
    read_whole,
    reading_an_answer,
)
from pipeline.store.clickhouse.server import ClickHouseServer
from pipeline.web.bounded_answer import FAILURE_OCTETS, HEAD_OCTETS, AnswerBounds
from tests.hostile.lies import SECRET
from tests.hostile.lying_http import WITHOUT_END, whole
from tests.hostile.lying_server import lying_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.hostile.lying_server import Conduct

BOUNDS = AnswerBounds(octets=100_000, seconds=1.0)
PATIENCE_SECONDS = 5.0  # for what is bounded to one: a busy machine


BOMB = gzip.compress(bytes(10_000_000))
REFUSED = {
    "a-body-too-large": whole(b"200 OK", bytes(BOUNDS.octets + HEAD_OCTETS + 70_000)),
    "a-failure-too-large": whole(b"500 No", bytes(FAILURE_OCTETS + HEAD_OCTETS + 70_000)),
    "a-head-too-large": whole(b"200 OK", b"", *[b"X-%d: %s" % (n, b"x" * 999) for n in range(999)]),
    **WITHOUT_END,
    "compressed": whole(b"200 OK", BOMB, b"Content-Encoding: gzip"),
    "compressed-as-the-driver-knows": whole(b"200 OK", b"x", b"Content-Encoding: zstd"),
    "a-summary-that-is-a-number": whole(b"200 OK", b"", b"X-ClickHouse-Summary: 1"),
}


@pytest.mark.parametrize("conduct", REFUSED.values(), ids=REFUSED)
def test_an_answer_beyond_its_bounds_is_an_error_in_time(conduct: Conduct) -> None:
    with lying_server(conduct) as lying:
        server = ClickHouseServer(f"http://twoway:{SECRET}@127.0.0.1:{lying.port}", BOUNDS)
        began = time.monotonic()
        with pytest.raises(ClickHouseError):
            server.client()
        assert time.monotonic() - began < PATIENCE_SECONDS
        server.close()


def test_a_redirection_is_not_followed() -> None:
    with lying_server(whole(b"200 OK", b"")) as elsewhere:
        to = b"Location: http://127.0.0.1:%d/" % elsewhere.port
        with lying_server(whole(b"307 There", b"", to)) as lying:
            server = ClickHouseServer(f"http://twoway:{SECRET}@127.0.0.1:{lying.port}", BOUNDS)
            with pytest.raises(ClickHouseError):
                server.client()
            server.close()
        assert elsewhere.connections == 0


class Octets:
    """The body of an answer, in pieces."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = list(pieces)
        self.is_closed = False

    def read(self, _: int) -> bytes:
        return self.pieces.pop(0) if self.pieces else b""

    def close(self) -> None:
        self.is_closed = True


LINES = [
    ((), b""),
    ((b'{"n":1}\n',), b'{"n":1}\n'),
    ((b'{"n":', b"1}\n"), b'{"n":1}\n'),
    ((b"x" * 99, b"}\n"), None),
    ((b'{"n":1',), None),
    ((b"{" * 90, b"{" * 90, b"}\n"), None),
]


@pytest.mark.parametrize(("pieces", "expected"), LINES)
def test_lines_of_json(pieces: tuple[bytes, ...], expected: bytes | None) -> None:
    answer = Octets(*pieces)
    if expected is None:
        with pytest.raises(AnswerUnreadable):
            read_whole(answer, octets=100, begins=b"{", ends=b"}\n")
    else:
        assert read_whole(answer, octets=100, begins=b"{", ends=b"}\n") == expected
    assert answer.is_closed


@pytest.mark.parametrize("error", [ValueError, KeyError, TypeError, MemoryError, OSError])
def test_whatever_a_reader_meets_is_an_error_of_the_server(error: type[Exception]) -> None:
    with pytest.raises(OperationalError) as raised, reading_an_answer():
        raise error("what the peer said")
    assert "what the peer said" not in str(raised.value)


def test_a_server_that_comes_up_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "START_SECONDS", 5)
    monkeypatch.setattr(database, "RETRY_SECONDS", 0.01)
    tries: list[int] = []

    def connect() -> str:
        tries.append(1)
        if len(tries) < 3:
            raise AnswerUnreadable("not yet")
        return "a client"

    assert database.client_when_up(connect) == "a client"  # type: ignore[arg-type, comparison-overlap]


@pytest.fixture
def over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a server that answers 200,000 octets, and whose authority is trusted."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with HTTPServer(("localhost", 0), _Large) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        yield server.server_port
        server.shutdown()
        serving.join(5)


class _Large(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(1)
        self.send_response(200)
        self.send_header("Content-Length", "200000")
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(bytes(200_000))

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@pytest.mark.parametrize(
    ("at_most", "is_streamed", "is_read"),
    [
        pytest.param(200_000, False, True, id="as-large-as-asked-for"),
        pytest.param(200_000, True, True, id="streamed"),
        pytest.param(100_000 - HEAD_OCTETS, False, False, id="larger"),
        pytest.param(100_000 - HEAD_OCTETS, True, False, id="larger-streamed"),
    ],
)
def test_the_bounds_hold_over_tls(
    over_tls: int, at_most: int, is_streamed: bool, is_read: bool
) -> None:
    pool = BoundedPool(AnswerBounds(octets=at_most, seconds=5.0))
    url = f"https://localhost:{over_tls}/"
    expected = nullcontext() if is_read else pytest.raises(HTTPError)
    with expected:
        answer = pool.request("POST", url, body=b"x", preload_content=not is_streamed)
        assert len(answer.read() if is_streamed else answer.data) == 200_000
    pool.clear()
