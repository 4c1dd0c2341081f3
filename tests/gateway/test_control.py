"""The paths for commands: only this machine may call them, and every request gets an answer."""

from __future__ import annotations

import json

import httpx
import pytest

ASKED = [
    ("POST", "/_/text", json.dumps({"handset": "447700900001", "number": "1", "text": "hi"})),
    ("PUT", "/_/faults/hang", "on"),
]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:8090"},
        {"Host": "127.0.0.1:99999"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"X-Forwarded-For": "203.0.113.9"},
        {"Forwarded": "for=203.0.113.9"},
        {"Via": "1.1 proxy"},
    ],
    ids=str,
)
async def test_a_page_elsewhere_and_a_proxy_cannot_ask(play, headers):
    async with play() as played, httpx.AsyncClient() as client:
        base = f"http://127.0.0.1:{played.gateway.http.port}"
        for method, path, body in ASKED:
            answer = await client.request(method, base + path, content=body, headers=headers)
            is_no_host = headers.get("Host") == "127.0.0.1:99999"  # RFC 9112 3.2: 400
            assert answer.status_code == (400 if is_no_host else 403), path
        assert not any(fault.is_on for fault in played.gateway.faults)
        assert played.gateway.phones() == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"[" * 100_000,
        b"\xff",
        b'"text"',
        b'{"handset": "447700900001", "number": "1"}',
        b'{"handset": 447700900001, "number": "1", "text": "a"}',
        b'{"handset": "44\\n7", "number": "1", "text": "a"}',
        b'{"handset": "447700900001", "number": "../x", "text": "a"}',
        b'{"handset": "447700900001", "number": "1", "text": "a", "charset": 5}',
        b'{"handset": "447700900001", "number": "1", "text": "a", "charset": "no-such"}',
        b'{"handset": "447700900001", "number": "1", "text": "\\ud800", "charset": "UTF-16BE"}',
    ],
)
async def test_what_cannot_be_texted_is_said(play, body):
    async with play() as played, httpx.AsyncClient() as client:
        base = f"http://127.0.0.1:{played.gateway.http.port}"
        answer = await client.post(f"{base}/_/text", content=body)
        assert answer.status_code == 400, answer.text
        assert "the message cannot be sent" in answer.text
        assert played.gateway.phones() == []
