"""The readers of HTTP and of the wire formats take time in proportion to the number of octets."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from ingest.http.http1.head import BadRequest
from ingest.http.http1.parser import RequestReader
from ingest.http.mt.requests import RequestRefused, asked_from_json, request_id_from_header
from ingest.http.request import target_from_octets
from pipeline.settings import Settings
from pipeline.sms import udh
from pipeline.sms.charset import charset_from_name
from pipeline.sms.gsm7 import default as gsm7
from pipeline.sms.msisdn import address_from_text
from pipeline.sms.timestamp import time_from_gateway
from pipeline.web.access import Access
from pipeline.wire import http_form, mo_log, percent, soap, xml
from pipeline.wire.smpp import callback as smpp_callback
from pipeline.wire.status import http as status_http
from pipeline.wire.status import soap as status_soap
from pipeline.wire.status import xml as status_xml
from tests.hostile.growth import refuse_steep_growth
from tests.hostile.scale import IS_LONG

if TYPE_CHECKING:
    from collections.abc import Callable

#: The long form goes eight times as far and takes every tail.
LARGEST = 1 << 14
# A repeated piece, and what stands at the end to make an almost-match fail.
PIECES = [b" ", b"\t", b" \t", b"a", b"=", b"&", b"&=", b"%", b"%4", b"%41", b"+", b":", b";", b","]
PIECES += [b"<", b"<a>", b"<a ", b'"', b'<a b="c"', b"<!--", b"-->", b"]]>", b"<![CDATA["]
PIECES += [b"&amp;", b"&#1;", b"\xff", b"\x00", b"\x1b", b"\t\t", b"0", b"0a", b"05", b"/", b"?"]
PIECES += [
    b"from=",
    b"data=",
    b"text=%",
    b"f%72om=1&",
    b"&data",
    b"\r",
    b"\n",
    b"\r\n",
    b"1.",
    b"[",
]
TAILS = [b"", b"\x00", b"!"] if IS_LONG else [b"!"]


def _head(octets: bytes) -> object:
    reader = RequestReader(body_limit=1 << 20)
    reader.feed(octets)
    with suppress(BadRequest):
        while reader.read_head() is not None and reader.read_body() is not None:
            reader.start_next()
    return reader


_ACCESS = Access(Settings(tokens="one", basic_auth="a:b", trusted_proxies="127.0.0.1"))
_REFUSE = _ACCESS.refuse
_ASK: dict[str, Any] = {"peer": "127.0.0.1", "token": None}


def _asked(octets: bytes) -> None:
    with suppress(RequestRefused):
        asked_from_json(octets)
    with suppress(RequestRefused):
        request_id_from_header(octets)


PARSERS: dict[str, Callable[[bytes], object]] = {
    "target": lambda o: _head(b"GET /" + o + b" HTTP/1.1\r\n\r\n"),
    "header": lambda o: _head(b"GET / HTTP/1.1\r\nA:" + o + b"\r\n\r\n"),
    "header-name": lambda o: _head(b"GET / HTTP/1.1\r\n" + o + b"\r\n\r\n"),
    "many-headers": lambda o: _head(b"GET / HTTP/1.1\r\n" + b"a:b\r\n" * (len(o) // 5) + b"\r\n"),
    "request-line": lambda o: _head(o + b"\r\n\r\n"),
    "chunks": lambda o: _head(
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\n" + o + b"\r\n0\r\n\r\n"
    ),
    "many-chunks": lambda o: _head(
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"1;a\r\nx\r\n" * (len(o) // 9)
        + b"0\r\n\r\n"
    ),
    "path": target_from_octets,
    "absolute": lambda o: target_from_octets(b"http://" + o),
    "forwarded": lambda o: _REFUSE(forwarded_for=o, authorization=b"", **_ASK),
    "authorization": lambda o: _REFUSE(
        forwarded_for=b"203.0.113.1", authorization=b"Basic " + o, **_ASK
    ),
    "form": lambda o: http_form.parse(query=o, body=o, content_type=""),
    "form-in-order": lambda o: http_form.parse(
        query=b"api_id=1&from=1&to=2&timestamp=" + o, body=b"", content_type=""
    ),
    "percent": percent.octets_from_percent,
    "xml": lambda o: xml.parse(query=b"", body=b"data=" + o, content_type=""),
    "xml-document": lambda o: xml.parse(query=b"", body=b"<clickmo>" + o, content_type=""),
    "soap": lambda o: soap.parse(query=b"", body=b"data=" + o, content_type=""),
    "soap-document": lambda o: soap.parse(query=b"", body=b"<a>" + o, content_type=""),
    "mo-log": mo_log.parse,
    "mo-log-lines": lambda o: mo_log.LineSplitter().feed(o),
    "mo-log-text": lambda o: mo_log.parse(b"2008-08-06 09:43:50\t1\t2\t" + o),
    "smpp": lambda o: smpp_callback.callback_from_pdu(o, alphabet="gsm7"),
    "smpp-deliver": lambda o: smpp_callback.callback_from_pdu(
        (len(o) + 16).to_bytes(4, "big") + b"\0\0\0\5\0\0\0\0\0\0\0\1" + o, alphabet="gsm7"
    ),
    "udh-hex": lambda o: udh.udh_from_hex(o.decode("latin-1")),
    "udh": udh.concatenation_from_udh,
    "gsm7": gsm7.text_from_septets,
    "timestamp": lambda o: time_from_gateway(o.decode("latin-1")),
    "charset": lambda o: charset_from_name(o.decode("latin-1")),
    "address": lambda o: address_from_text(o.decode("latin-1")),
    "mt": _asked,
    "status-form": lambda o: status_http.parse(query=o, body=o, content_type=""),
    "status-xml": lambda o: status_xml.parse(query=b"", body=b"<callback>" + o, content_type=""),
    "status-soap": lambda o: status_soap.parse(query=b"", body=b"<a>" + o, content_type="text/xml"),
}


@pytest.mark.parametrize("name", PARSERS)
def test_the_time_grows_no_faster_than_the_octets(name: str) -> None:
    parse = PARSERS[name]
    for piece in PIECES:
        for tail in TAILS:

            def work(size: int, piece: bytes = piece, tail: bytes = tail) -> Callable[[], object]:
                octets = piece * (size // len(piece)) + tail
                return lambda: parse(octets)

            refuse_steep_growth(work, largest=LARGEST)


def test_64_kib_of_separators_are_cheap() -> None:
    def work(size: int) -> Callable[[], object]:
        octets = b"&" * size
        return lambda: http_form.parse(query=b"", body=octets, content_type="")

    refuse_steep_growth(work, largest=1 << 16)
