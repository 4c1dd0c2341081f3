"""Requests from octets: equal for every cut, and refused where two readings are possible."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.http.http1.head import BadRequest, Head, head_from_octets
from ingest.http.http1.parser import RequestReader

LIMIT = 1000


def requests_in(*pieces: bytes, limit: int = LIMIT) -> list[tuple[Head, bytes]]:
    """Every whole request, for these cuts of the octets."""
    reader = RequestReader(body_limit=limit)
    found: list[tuple[Head, bytes]] = []
    head: Head | None = None
    for piece in pieces:
        reader.feed(piece)
        while True:
            if head is None:
                head = reader.read_head()
            if head is None:
                break
            body = reader.read_body()
            if body is None:
                break
            found.append((head, body))
            head = None
            reader.start_next()
    return found


CHUNKED = b"POST /mo/http HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
SIZED = b"POST /mo/http HTTP/1.1\r\nHost: x\r\nContent-Length: "


@pytest.mark.parametrize(
    ("octets", "target", "body"),
    [
        pytest.param(
            b"GET /mo/http?a=%FE%00 HTTP/1.1\r\n\r\n", b"/mo/http?a=%FE%00", b"", id="get"
        ),
        pytest.param(
            b"GET /?a=\xfe\xff\x00 HTTP/1.1\r\n\r\n", b"/?a=\xfe\xff\x00", b"", id="raw octets"
        ),
        pytest.param(b"GET /?text=a b c HTTP/1.1\r\n\r\n", b"/?text=a b c", b"", id="blanks"),
        pytest.param(
            b"GET /?text=call #5 HTTP/1.1\r\n\r\n", b"/?text=call #5", b"", id="number sign"
        ),
        pytest.param(
            b'GET /?d=<?xml v="1"?> HTTP/1.1\r\n\r\n', b'/?d=<?xml v="1"?>', b"", id="xml"
        ),
        pytest.param(
            b"GET /?t=a HTTP/1.1 HTTP/1.1\r\n\r\n", b"/?t=a HTTP/1.1", b"", id="version twice"
        ),
        pytest.param(b"\r\n\r\nGET / HTTP/1.1\r\n\r\n", b"/", b"", id="RFC 9112 2.2 empty lines"),
        pytest.param(b"GET / HTTP/1.0\r\n\r\n", b"/", b"", id="1.0"),
        pytest.param(SIZED + b"3\r\n\r\nabc", b"/mo/http", b"abc", id="sized"),
        pytest.param(SIZED + b"003 \r\n\r\nabc", b"/mo/http", b"abc", id="sized with blanks"),
        pytest.param(
            CHUNKED + b"3\r\nabc\r\n0\r\n\r\n", b"/mo/http", b"abc", id="RFC 9112 7.1 chunked"
        ),
        pytest.param(
            CHUNKED + b"3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n",
            b"/mo/http",
            b"abc0123456789",
            id="RFC 9112 7.1.1 extension, 7.1.2 trailer",
        ),
    ],
)
def test_a_request_is_the_same_at_every_cut(octets: bytes, target: bytes, body: bytes) -> None:
    for cut in range(len(octets)):
        [(head, found)] = requests_in(octets[:cut], octets[cut:])
        assert (head.target, found) == (target, body)
    [(head, found)] = requests_in(*(bytes([octet]) for octet in octets))
    assert (head.target, found) == (target, body)


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        pytest.param(b"GET /\r\n\r\n", 400, id="no version"),
        pytest.param(b"GET / HTTP/2.0\r\n\r\n", 400, id="HTTP/2"),
        pytest.param(b"G@T / HTTP/1.1\r\n\r\n", 400, id="method is no token"),
        pytest.param(b"\x16\x03\x01\x02\x00\r\n\r\n", 400, id="TLS to the plain port"),
        pytest.param(b"GET /\n HTTP/1.1\r\n\r\n", 400, id="LF in the target"),
        pytest.param(b"GET / HTTP/1.1\r\nA : b\r\n\r\n", 400, id="RFC 9112 5.1 blank before colon"),
        pytest.param(b"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", 400, id="RFC 9112 5.2 fold"),
        pytest.param(b"GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n", 400, id="LF in a header"),
        pytest.param(b"GET / HTTP/1.1\r\nA: b\x00\r\n\r\n", 400, id="NUL in a header"),
        pytest.param(SIZED + b"-1\r\n\r\n", 400, id="negative length"),
        pytest.param(SIZED + b"+3\r\n\r\n", 400, id="signed length"),
        pytest.param(SIZED + b"3, 3\r\n\r\n", 400, id="list of lengths"),
        pytest.param(SIZED + b"3\r\nContent-Length: 3\r\n\r\n", 400, id="two lengths"),
        pytest.param(
            SIZED + b"3\r\nTransfer-Encoding: chunked\r\n\r\n", 400, id="RFC 9112 6.1 smuggling"
        ),
        pytest.param(
            SIZED + b"3\r\nTransfer-Encoding:\r\n\r\nabc", 400, id="RFC 9112 6.1 empty coding"
        ),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, id="RFC 9112 3.2 two hosts"
        ),
        pytest.param(CHUNKED + b"0\r\nA : b\r\n\r\n", 400, id="RFC 9112 7.1.2 bad trailer"),
        pytest.param(CHUNKED + b"0\r\nA: \x00\r\n\r\n", 400, id="NUL in a trailer"),
        pytest.param(
            b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, id="chunked in 1.0"
        ),
        pytest.param(b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501, id="gzip coding"),
        pytest.param(
            b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501, id="two codings"
        ),
        pytest.param(SIZED + b"9" * 400 + b"\r\n\r\n", 400, id="length beyond counting"),
        pytest.param(CHUNKED + b"xyz\r\n", 400, id="chunk size is no hex"),
        pytest.param(CHUNKED + b"-1\r\n", 400, id="negative chunk"),
        pytest.param(CHUNKED + b"1\r\nab\r\n", 400, id="chunk longer than it says"),
        pytest.param(CHUNKED + b"1;" + b"x" * 300, 400, id="endless extension"),
        pytest.param(CHUNKED + b"0\r\n" + b"a: b\r\n" * 40, 431, id="endless trailers"),
        pytest.param(b"GET /" + b"a" * 1001 + b" HTTP/1.1\r\n\r\n", 414, id="long target"),
        pytest.param(b"GET /" + b"a" * 40_000, 414, id="endless target"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20_000, 431, id="endless headers"),
    ],
)
def test_what_is_no_request_is_refused(octets: bytes, status: int) -> None:
    with pytest.raises(BadRequest) as refusal:
        requests_in(octets)
    assert refusal.value.status == status
    for step in (1, 7, 1_000):
        with pytest.raises(BadRequest) as refusal:
            requests_in(*(octets[at : at + step] for at in range(0, len(octets), step)))
        assert refusal.value.status == status


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(SIZED + b"1001\r\n\r\n" + b"a" * 1001, id="by its length"),
        pytest.param(SIZED + b"999999999999999\r\n\r\n" + b"a" * 1001, id="beyond memory"),
        pytest.param(CHUNKED + b"3E9\r\n" + b"a" * 1001, id="by its chunk"),
        pytest.param(CHUNKED + b"FFFFFFFF\r\n" + b"a" * 1001, id="by a chunk beyond memory"),
        pytest.param(CHUNKED + b"3E8\r\n" + b"a" * 1000 + b"\r\n1\r\na", id="in all"),
    ],
)
def test_of_a_body_beyond_the_limit_comes_what_the_limit_holds(octets: bytes) -> None:
    for cut in range(0, len(octets), 7):
        reader = RequestReader(body_limit=LIMIT)
        bodies = []
        for piece in (octets[:cut], octets[cut:]):
            reader.feed(piece)
            if bodies or reader.read_head() or b"\r\n\r\n" in octets[:cut]:
                bodies.append(reader.read_body())
        assert bodies[-1] == b"a" * LIMIT
        assert reader.is_too_long


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        pytest.param(b"GET / HTTP/1.1", True, id="1.1"),
        pytest.param(b"GET / HTTP/1.1\r\nConnection: close", False, id="1.1 close"),
        pytest.param(b"GET / HTTP/1.1\r\nConnection: x, Close", False, id="close in a list"),
        pytest.param(b"GET / HTTP/1.0", False, id="1.0"),
        pytest.param(b"GET / HTTP/1.0\r\nConnection: Keep-Alive", True, id="1.0 keep-alive"),
    ],
)
def test_the_connection_stays_as_rfc_9112_9_3_says(head: bytes, *, expected: bool) -> None:
    assert head_from_octets(head).keeps_alive is expected


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_any_octets_are_a_request_or_refused(pieces: list[bytes]) -> None:
    with suppress(BadRequest):
        requests_in(*pieces)


@given(
    bodies=st.lists(st.binary(min_size=1, max_size=80), max_size=5),
    chunked=st.booleans(),
    cuts=st.lists(st.integers(0, 600), max_size=5),
)
def test_what_h11_writes_is_read(*, bodies: list[bytes], chunked: bool, cuts: list[int]) -> None:
    body = b"".join(bodies)
    client = h11.Connection(our_role=h11.CLIENT)
    framing = ("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(len(body)))
    octets = client.send(
        h11.Request(method="POST", target="/mo/http?a=1", headers=[("Host", "x"), framing])
    )
    octets += b"".join(client.send(h11.Data(data=piece)) for piece in bodies)
    octets += client.send(h11.EndOfMessage())
    at = [0, *sorted(min(cut, len(octets)) for cut in cuts), len(octets)]
    pieces = [octets[start:end] for start, end in pairwise(at)]
    [(head, found)] = requests_in(*pieces)
    assert (head.method, head.target, found) == ("POST", b"/mo/http?a=1", body)


@given(st.integers(2, 5), st.integers(1, 300))
def test_requests_in_a_row_are_read_one_by_one(count: int, cut: int) -> None:
    octets = b"".join(SIZED + b"2\r\n\r\n%02d" % number for number in range(count))
    found = requests_in(*(octets[at : at + cut] for at in range(0, len(octets), cut)))
    assert [body for _, body in found] == [b"%02d" % number for number in range(count)]
