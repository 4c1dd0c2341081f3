"""Callbacks a second, each acknowledged by Kafka before it counts, and how long they took.

    python tests/bench/ingest_bench.py http://127.0.0.1:8080 --requests 50000 --concurrency 64

Every request is a part of its own: other handset, other moMsgId. Ends after `--seconds` at the
latest. Prints one JSON object: requests, statuses, requests_per_second, p50_ms, p99_ms, cpu_share.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
from collections import Counter
from time import perf_counter, process_time
from typing import Any, cast
from urllib.parse import urlsplit

import uvloop

_ANSWER = re.compile(rb"HTTP/1\.1 (\d{3}) .*?Content-Length: (\d+)\r\n.*?\r\n\r\n", re.DOTALL)


class Load:
    """Hands out requests and keeps what came back."""

    def __init__(self, *, requests: int, host: str, path: str, form: str) -> None:
        self._left = requests
        self._host = host
        self._path = path
        self._form = form
        self._run = os.urandom(6).hex()
        self.statuses: Counter[int] = Counter()
        self.seconds: list[float] = []

    def next_request(self) -> bytes | None:
        """The octets of one more request; None when there is none left."""
        if self._left == 0:
            return None
        self._left -= 1
        number = self._left
        query = (
            f"api_id=3460000&from=4477{number % 10_000_000:08d}&to=447860024227"
            f"&timestamp=2014-01-29+02%3A08%3A30&text=Hi%2C+man+{number}"
            f"&charset=ISO-8859-1&udh=&moMsgId={self._run}{number:020x}"
        )
        if self._form == "get":
            return f"GET {self._path}?{query} HTTP/1.1\r\nHost: {self._host}\r\n\r\n".encode()
        return (
            f"POST {self._path} HTTP/1.1\r\nHost: {self._host}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(query)}\r\n\r\n{query}"
        ).encode()


class Client(asyncio.Protocol):
    """One connection: the next request goes out when the answer to the last one is in."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._received = b""
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, octets: bytes) -> None:
        self._received += octets
        answer = _ANSWER.match(self._received)
        if answer is None or len(self._received) < answer.end() + int(answer[2]):
            return
        self._load.seconds.append(perf_counter() - self._sent_at)
        self._load.statuses[int(answer[1])] += 1
        self._received = self._received[answer.end() + int(answer[2]) :]
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def _send(self) -> None:
        request = self._load.next_request()
        if request is None:
            self._transport.close()
            return
        self._sent_at = perf_counter()
        self._transport.write(request)


async def measure(
    url: str, *, requests: int, concurrency: int, seconds: float, form: str = "get"
) -> dict[str, Any]:
    """Send `requests` over `concurrency` connections; figures as a dict."""
    address = urlsplit(url)
    load = Load(
        requests=requests,
        host=address.netloc,
        path=address.path.rstrip("/") + "/mo/http",
        form=form,
    )
    loop = asyncio.get_running_loop()
    started, cpu = perf_counter(), process_time()
    clients = []
    for _ in range(concurrency):
        _, client = await loop.create_connection(
            lambda: Client(load), address.hostname, address.port
        )
        clients.append(client)
    await asyncio.wait([client.ended for client in clients], timeout=seconds)
    took = perf_counter() - started
    slowest_last = sorted(load.seconds)
    count = len(slowest_last)
    return {
        "requests": count,
        "statuses": dict(load.statuses),
        "concurrency": concurrency,
        "requests_per_second": round(count / took),
        "p50_ms": round(slowest_last[count // 2] * 1000, 1) if count else None,
        "p99_ms": round(slowest_last[count * 99 // 100] * 1000, 1) if count else None,
        "client_cpu_share": round((process_time() - cpu) / took, 2),
    }


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("url", help="base URL of ingest, a token's path included")
    parser.add_argument("--requests", type=int, default=50_000)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60.0, help="end after this at the latest")
    parser.add_argument("--form", choices=("get", "post"), default="get")
    given = parser.parse_args()
    print(
        json.dumps(
            uvloop.run(
                measure(
                    given.url,
                    requests=given.requests,
                    concurrency=given.concurrency,
                    seconds=given.seconds,
                    form=given.form,
                )
            )
        )
    )


if __name__ == "__main__":
    main()
