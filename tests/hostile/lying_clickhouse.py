"""What a lying ClickHouse server answers over HTTP, whatever it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.hostile.lies import NUMBER, SECRET, TEN_MEGABYTES, TEXT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.hostile.lying_server import Conduct, Line

    Lie = Callable[[Line], None]

_WORDS = f"Code: 27. DB::Exception: {SECRET} for {NUMBER}: cannot parse '{TEXT}'".encode()


def _answering(lie: Lie) -> Conduct:
    """Take a request's head, then do this, and hang up."""

    def conduct(line: Line) -> None:
        while line.file.readline().strip():
            pass
        lie(line)

    return conduct


def _whole(status: bytes, body: bytes, *headers: bytes) -> Conduct:
    head = b"\r\n".join((b"HTTP/1.1 " + status, *headers, b"Content-Length: %d" % len(body)))
    return _answering(lambda line: line.say(head + b"\r\n\r\n" + body))


def _begun(octets: bytes) -> Conduct:
    return _answering(lambda line: line.say(octets))


def _reset_in_the_body(line: Line) -> None:
    line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n1")
    line.reset()


def _endless_head(line: Line) -> None:
    line.say(b"HTTP/1.1 200 OK\r\n")
    line.for_ever(b"X: y\r\n" * 1000)


_CODE = b"X-ClickHouse-Exception-Code: 27"
LIES: dict[str, Conduct] = {
    "echo-500": _whole(b"500 Internal Server Error", _WORDS, _CODE),
    "echo-403": _whole(b"403 Forbidden", _WORDS),
    "echo-200": _whole(b"200 OK", _WORDS),
    "echo-in-the-status": _whole(b"500 " + _WORDS, b""),
    "echo-in-a-header": _whole(b"500 No", b"", b"X-ClickHouse-Exception-Code: " + _WORDS),
    "control": _whole(b"500 No", b"\0\x1b[2J\r\n\xe2\x80\xae" + _WORDS, _CODE),
    "huge-error": _whole(b"500 No", _WORDS * (TEN_MEGABYTES // len(_WORDS)), _CODE),
    "huge-answer": _whole(b"200 OK", _WORDS * (TEN_MEGABYTES // len(_WORDS))),
    "nothing": _whole(b"200 OK", b""),
    "no-http": _begun(_WORDS + b"\r\n"),
    "ends-at-once": lambda line: None,
    "resets-at-once": lambda line: line.reset(),
    "ends": _begun(b""),
    "ends-in-the-head": _begun(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "ends-in-the-body": _begun(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + _WORDS),
    "resets-in-the-body": _answering(_reset_in_the_body),
    "broken-chunks": _begun(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "broken-gzip": _whole(b"200 OK", b"\x1f\x8b" + b"x" * 99, b"Content-Encoding: gzip"),
    "endless-head": _answering(_endless_head),
    "redirect": _whole(b"302 Found", b"", b"Location: http://127.0.0.1:1/" + SECRET.encode()),
}
