"""Callbacks a second that Kafka has acknowledged, and their latencies.

    python -m tests.bench.ingest_bench http://127.0.0.1:8080 --requests 50000 --concurrency 64

Every request is a different part, with its own handset and moMsgId. Ends after `--seconds` at the
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
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

import uvloop

from pipeline.cli.local.kafka import LocalKafka
from pipeline.kafka.admin import create_topics
from pipeline.settings import Settings
from pipeline.wire import http_form, soap, xml
from pipeline.wire.callback import MoCallback
from pipeline.wire.percent import percent_from_octets
from tests.bench import slow_clients
from tests.bench.smpp_bench import processor_seconds
from tests.ingest.http.process import ingest_process

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

PARTITIONS: Final = 4
WARM_UP: Final = 2_000
_ANSWER = re.compile(rb"HTTP/1\.1 (\d{3}) .*?Content-Length: (\d+)\r\n.*?\r\n\r\n", re.DOTALL)


NUMBER, PART = b"NNNNNNNN", b"P" * 32  # stand for what differs, in as many octets
RENDERERS: Final[Mapping[str, Callable[[MoCallback], bytes | None]]] = {
    "http": http_form.render,
    "xml": xml.render,
    "soap": soap.render,
}
FORMS: Final = tuple(f"{name}-{method}" for name in RENDERERS for method in ("get", "post"))


def template_of(form: str, *, host: str, prefix: str) -> bytes:
    """A request for this way in, with placeholders for the number and the id of the part."""
    name, _, method = form.partition("-")
    body = RENDERERS[name](
        MoCallback(
            handset=f"4477{NUMBER.decode()}",
            number="447860024227",
            api_id="3460000",
            mo_msg_id=PART.decode(),
            timestamp="2014-01-29 02:08:30",
            charset="ISO-8859-1",
            octets=b"Hi, man " + NUMBER,
        )
    )
    assert body is not None
    target = f"{prefix}/mo/{name}"
    if method == "get":
        head, is_document, document = body.partition(b"=<")
        query = head + b"=" + percent_from_octets(b"<" + document) if is_document else body
        return b"GET %b?%b HTTP/1.1\r\nHost: %b\r\n\r\n" % (target.encode(), query, host.encode())
    return b"POST %b HTTP/1.1\r\nHost: %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (
        *(text.encode() for text in (target, host, http_form.FORM)),
        len(body),
        body,
    )


class Load:
    """Gives out requests and keeps the answers."""

    def __init__(self, *, requests: int, host: str, prefix: str, form: str) -> None:
        self._left = requests
        self._template = template_of(form, host=host, prefix=prefix)
        self._run = os.urandom(6).hex()
        self.statuses: Counter[int] = Counter()
        self.seconds: list[float] = []

    def next_request(self) -> bytes | None:
        """The octets of the next request; None when no request is left."""
        if self._left == 0:
            return None
        self._left -= 1
        number = b"%08d" % (self._left % 100_000_000)
        part = b"%b%020x" % (self._run.encode(), self._left)
        return self._template.replace(NUMBER, number).replace(PART, part)


class Client(asyncio.Protocol):
    """One connection: the next request is sent when the answer to the last request has arrived."""

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
    url: str, *, requests: int, concurrency: int, seconds: float, form: str = "http-get"
) -> dict[str, Any]:
    """Send `requests` over `concurrency` connections, and return the figures."""
    address = urlsplit(url)
    load = Load(
        requests=requests,
        host=address.netloc,
        prefix=address.path.rstrip("/"),
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


def rows(home: Path, requests: int) -> list[tuple[str, str]]:
    """Requests by each way in over HTTP, and slow clients, at an ingest beside its broker alone."""
    home.mkdir()
    broker = LocalKafka(home=home / "kafka", partitions=PARTITIONS)
    broker.start()
    try:
        create_topics(broker.bootstrap, Settings(partitions=PARTITIONS))
        with ingest_process(home, {"kafka": broker.bootstrap, "log_level": "warning"}) as ingest:
            ingest.wait_until("/readyz", 200)
            url, pid = f"http://127.0.0.1:{ingest.port}", ingest.common.process.pid
            uvloop.run(measure(url, requests=WARM_UP, concurrency=64, seconds=60))
            return [
                *(_row(url, pid, form=form, requests=requests) for form in FORMS),
                _slow_row(url, pid),
            ]
    finally:
        broker.stop()


def _row(url: str, pid: int, *, form: str, requests: int) -> tuple[str, str]:
    before = processor_seconds(pid)
    figures = uvloop.run(measure(url, requests=requests, concurrency=64, seconds=120, form=form))
    each = (processor_seconds(pid) - before) / requests
    if figures["statuses"] != {200: requests}:
        raise RuntimeError(f"not every request was acknowledged: {figures}")
    name, _, method = form.partition("-")
    return (
        f"ingest {name.upper()} {method.upper()}, each acknowledged, beside its broker alone",
        f"{figures['requests_per_second']:,} requests/s, p99 {figures['p99_ms']} ms,"
        f" {each * 1e6:.0f} µs of processor time each",
    )


def _slow_row(url: str, pid: int) -> tuple[str, str]:
    figures = asyncio.run(slow_clients.measure(url, pid))
    return (
        f"ingest with {figures.clients:,} clients that send a byte a second",
        f"{figures.most_mb:.0f} MB; {figures.answered} others answered:"
        f" p50 {figures.p50_ms:.0f} ms, the slowest {figures.slowest_ms:.0f} ms",
    )


def main() -> None:
    """Read the command line, measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("url", help="base URL of ingest, a token's path included")
    parser.add_argument("--requests", type=int, default=50_000)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60.0, help="end after this at the latest")
    parser.add_argument("--form", choices=FORMS, default="http-get")
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
