"""What a lying ClickHouse server answers over HTTP, whatever it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.hostile.lies import NUMBER, SECRET, TEN_MEGABYTES, TEXT
from tests.hostile.lying_http import WITHOUT_END, answering, begun, whole

if TYPE_CHECKING:
    from tests.hostile.lying_server import Conduct, Line

_WORDS = f"Code: 27. DB::Exception: {SECRET} for {NUMBER}: cannot parse '{TEXT}'".encode()


def _reset_in_the_body(line: Line) -> None:
    line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n1")
    line.reset()


_CODE = b"X-ClickHouse-Exception-Code: 27"
LIES: dict[str, Conduct] = {
    "echo-500": whole(b"500 Internal Server Error", _WORDS, _CODE),
    "echo-403": whole(b"403 Forbidden", _WORDS),
    "echo-200": whole(b"200 OK", _WORDS),
    "echo-in-the-status": whole(b"500 " + _WORDS, b""),
    "echo-in-a-header": whole(b"500 No", b"", b"X-ClickHouse-Exception-Code: " + _WORDS),
    "control": whole(b"500 No", b"\0\x1b[2J\r\n\xe2\x80\xae" + _WORDS, _CODE),
    "huge-error": whole(b"500 No", _WORDS * (TEN_MEGABYTES // len(_WORDS)), _CODE),
    "huge-answer": whole(b"200 OK", _WORDS * (TEN_MEGABYTES // len(_WORDS))),
    "nothing": whole(b"200 OK", b""),
    "no-http": begun(_WORDS + b"\r\n"),
    "ends-at-once": lambda line: None,
    "resets-at-once": lambda line: line.reset(),
    "ends": begun(b""),
    "ends-in-the-head": begun(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "ends-in-the-body": begun(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + _WORDS),
    "resets-in-the-body": answering(_reset_in_the_body),
    "broken-chunks": begun(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "broken-gzip": whole(b"200 OK", b"\x1f\x8b" + b"x" * 99, b"Content-Encoding: gzip"),
    **WITHOUT_END,
    "redirect": whole(b"302 Found", b"", b"Location: http://127.0.0.1:1/" + SECRET.encode()),
}
