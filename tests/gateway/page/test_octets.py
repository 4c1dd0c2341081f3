"""Octets as text, hex and fields of forms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.gateway.page.octets import MOST_SHOWN, fields_of, hex_lines, is_text, lines_of_text

REQUEST = (
    b"POST /http/sendmsg?a=%31 HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n"
)


@given(st.binary(max_size=200))
def test_hex_says_every_octet(octets: bytes) -> None:
    lines = hex_lines(octets)
    assert bytes.fromhex(" ".join(line.digits for line in lines)) == octets
    assert [int(line.offset, 16) for line in lines] == list(range(0, len(octets), 16))
    assert sum(len(line.ascii) for line in lines) == len(octets)


def test_a_line_is_that_of_hexdump() -> None:
    """`printf 'GET /\\0\\xff0123456789' | hexdump -C` prints the same."""
    (first, second) = hex_lines(b"GET /\0\xff0123456789")
    assert first.digits == "47 45 54 20 2f 00 ff 30  31 32 33 34 35 36 37 38"
    assert first.ascii == "GET /..012345678"
    assert second.digits == "39"


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", True),
        ("kul\u0127add".encode(), True),
        (b"\0\0\0\x10", False),
        (b"text\x1b[31m", False),
        (b"latin \xe9", False),
        (b"a" * (MOST_SHOWN - 1) + "\u20ac".encode(), True),
        (b"", True),
    ],
    ids=["http", "utf-8", "smpp", "escape", "latin-1", "cut within a character", "empty"],
)
def test_what_opens_as_text(octets: bytes, expected: bool) -> None:
    assert is_text(octets) is expected


def test_no_more_than_the_most_is_shown() -> None:
    octets = b"a" * 10_000_000
    assert len(hex_lines(octets)) == MOST_SHOWN // 16
    assert sum(map(len, lines_of_text(octets))) == MOST_SHOWN


@pytest.mark.parametrize(
    ("octets", "fields"),
    [
        (
            REQUEST + b"to=44&text=A+%E2%82%AC&empty=",
            [("a", "1"), ("to", "44"), ("text", "A \u20ac"), ("empty", "")],
        ),
        (b"apiMsgId=a1&text=a+b", [("apiMsgId", "a1"), ("text", "a b")]),
        (b"GET /mo?from=1&from=2 HTTP/1.1\r\n\r\n", [("from", "1"), ("from", "2")]),
        (b"POST /soap HTTP/1.1\r\nContent-Type: text/xml\r\n\r\na=b", []),
        (b"HTTP/1.1 200 OK\r\n\r\nID: 1", []),
        (b"\0\0\0\x10", []),
        (b"", []),
    ],
    ids=["query and form", "form alone", "twice", "not a form", "an answer", "smpp", "empty"],
)
def test_the_fields_of_a_form(octets: bytes, fields: list[tuple[str, str]]) -> None:
    assert fields_of(octets) == fields


@given(st.binary(max_size=300))
def test_any_form_is_read(body: bytes) -> None:
    assert fields_of(REQUEST + body)[0] == ("a", "1")
