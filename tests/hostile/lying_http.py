"""The lies of an HTTP server, after it has read the head of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.hostile.lying_server import Conduct, Line

    Lie = Callable[[Line], None]

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def answering(lie: Lie) -> Conduct:
    """Read the head of a request, then do this, and hang up."""

    def conduct(line: Line) -> None:
        while line.file.readline().strip():
            pass
        lie(line)

    return conduct


def whole(status: bytes, body: bytes, *headers: bytes) -> Conduct:
    """An answer with a true length."""
    head = b"\r\n".join((b"HTTP/1.1 " + status, *headers, b"Content-Length: %d" % len(body)))
    return answering(lambda line: line.say(head + b"\r\n\r\n" + body))


def begun(octets: bytes) -> Conduct:
    """These octets, and no more."""
    return answering(lambda line: line.say(octets))


def on_and_on(octets: bytes, then: bytes, *, pause: float = 0.0) -> Conduct:
    """These octets, and then those, repeated until the client hangs up."""

    def lie(line: Line) -> None:
        line.say(octets)
        line.for_ever(then, pause=pause)

    return answering(lie)


#: Answers without an end, or too slow for one.
WITHOUT_END: dict[str, Conduct] = {
    "an-endless-body": on_and_on(CHUNKED, b"ea60\r\n" + b"x" * 60_000 + b"\r\n"),
    "an-endless-head": on_and_on(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 9_000),
    "a-slow-status": on_and_on(b"HTTP/1.1 2", b"0", pause=0.05),
    "a-slow-head": on_and_on(b"HTTP/1.1 200 OK\r\nX: ", b"x", pause=0.05),
    "a-slow-body": on_and_on(CHUNKED, b"1\r\nx\r\n", pause=0.05),
}
