"""What the stand-in of the gateway takes and hands over a second, so that no bench measures it.

    python -m tests.bench --only gateway
    python -m tests.bench.gateway_bench [WAY …]

Each way is driven by a client that is not ours, at the window that the way has by itself; the same
client drives a server of fixed answers that looks at nothing. All are on the same machine.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit

import aiohttp
import uvloop
from aiohttp import web

from pipeline.gateway.settings import API_IDS
from pipeline.gateway.truth import SEEN
from pipeline.sender.apis.api import Api, WayName
from pipeline.sender.apis.file import WINDOWS
from tests.bench.sender.outside import NAMES, one_after_another, send_by_others
from tests.bench.smpp_bench import processor_seconds
from tests.sender.ways.counterpart import SESSION
from tests.support.commands import command_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from pipeline.records import MtCommand

#: Messages of each run.
COUNTS: Final = {
    WayName.HTTP: 2_000,
    WayName.XML: 2_000,
    WayName.SOAP: 2_000,
    WayName.SMPP: 5_000,
    WayName.SMTP: 1_000,
    WayName.FTP: 200,
}
MESSAGES: Final = 1_500  # of handsets
UNDER_WAY: Final = 50  # of them at a time
SECONDS: Final = 120.0
NOWHERE: Final = "http://127.0.0.1:9"  # statuses are not asked for
OVER_HTTP: Final = (WayName.HTTP, WayName.XML, WayName.SOAP)


@dataclass(frozen=True)
class Pace:
    """Messages a second, and seconds of a processor that the server took for each."""

    rate: float
    busy: float

    def __str__(self) -> str:
        return f"{self.rate:,.0f}/s, {1e6 * self.busy:,.0f} µs of processor time each"


def commands(count: int) -> list[MtCommand]:
    """To a handset each."""
    return [
        command_of(command_id=f"{number:032x}", handset=f"447700{number:06d}")
        for number in range(count)
    ]


@contextmanager
def process(*words: str) -> Iterator[tuple[int, str]]:
    """A Python process, and the line that it says once it listens."""
    with subprocess.Popen(
        [sys.executable, "-m", *words], stdout=subprocess.PIPE, text=True
    ) as started:
        try:
            assert started.stdout is not None
            yield started.pid, started.stdout.readline()
        finally:
            started.kill()


def api_to(way: WayName, url: str) -> Api:
    """The API that leads there."""
    at = urlsplit(url)
    given: dict[str, Any] = {"api_id": API_IDS[way.value], "way": way, "user": "demo"}
    given |= {"password": "stand-in", "tls": "off", "window": WINDOWS[way]}
    if way in OVER_HTTP:
        return Api(**given, url=f"http://{at.netloc}")
    if way is WayName.SMTP:
        given |= {"mail_to": "sms@example.com", "mail_from": "bench@example.com"}
    return Api(**given, host="127.0.0.1", port=at.port or 0)


async def session_at(api: Api) -> str:
    """A session of the stand-in's; XML and SOAP know those of HTTP."""
    login = urlencode({"api_id": api.api_id, "user": api.user, "password": api.password})
    url = f"{api.url}/http/auth?{login}"
    async with aiohttp.ClientSession() as client, client.get(url) as answer:
        return (await answer.text()).removeprefix("OK: ")


async def drive(api: Api, given: Sequence[MtCommand], pid: int, *, session: str) -> Pace:
    """A tenth of the commands first; the others count."""
    first = len(given) // 10
    await send_by_others(api, given[:first], session=session)
    began, busy = time.perf_counter(), processor_seconds(pid)
    await send_by_others(api, given[first:], session=session)
    count = len(given) - first
    seconds = time.perf_counter() - began
    return Pace(count / seconds, (processor_seconds(pid) - busy) / count)


def rows_of_way(way: WayName, home: Path) -> list[tuple[str, str]]:
    """The stand-in, and a server of fixed answers."""
    given, name = commands(COUNTS[way]), f"{NAMES[way]} by {way.value.upper()}"
    run = asyncio.run if way is WayName.SMPP else uvloop.run
    home.mkdir(parents=True)
    with process("tests.bench.played_gateway", str(home), NOWHERE) as (pid, urls):
        api = api_to(way, json.loads(urls)[way.value])
        session = run(session_at(api)) if way in OVER_HTTP else ""
        ours = run(drive(api, given, pid, session=session))
        _until_seen(home, len(given))
    log = home / "came.log"
    log.touch()
    words = ("tests.bench.sender.counterpart", way.value, str(log), "0")
    with process(*words) as (pid, port):
        api = api_to(way, f"any://127.0.0.1:{port.strip()}")
        fixed = run(drive(api, given, pid, session=SESSION))
    return [
        (f"the stand-in takes, from {name}, window {api.window}", str(ours)),
        ("a server of fixed answers, from the same client", str(fixed)),
    ]


def _until_seen(home: Path, count: int) -> None:
    """Each was taken: a file is looked at after its upload."""
    deadline = time.monotonic() + SECONDS
    while (seen := len((home / SEEN).read_bytes().splitlines())) < count:
        if time.monotonic() > deadline:
            raise RuntimeError(f"the stand-in took {seen} of {count}")
        time.sleep(0.05)


@asynccontextmanager
async def product() -> AsyncIterator[str]:
    """It answers every callback by 200."""

    async def take(request: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_get("/mo/http", take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def rows_of_messages(home: Path) -> list[tuple[str, str]]:
    """Handsets' messages by HTTP GET, beside a client that sends the same requests."""
    texts = [f"Is table {number} free tonight?" for number in range(MESSAGES)]
    async with (
        product() as url,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client,
    ):
        words = ("tests.bench.played_gateway", str(home), url)
        with process(*words) as (pid, line):
            base = f"http://{urlsplit(json.loads(line)['http']).netloc}"

            async def text(words: str) -> None:
                given = {"handset": "447700900001", "number": "447700900999", "text": words}
                async with client.post(f"{base}/_/text", json=given) as answer:
                    answer.raise_for_status()

            began, busy = time.perf_counter(), processor_seconds(pid)
            await one_after_another(texts, UNDER_WAY, text)
            seconds = time.perf_counter() - began
            ours = Pace(MESSAGES / seconds, (processor_seconds(pid) - busy) / MESSAGES)

        async def call(words: str) -> None:
            given = {"from": "447700900001", "to": "447700900999", "text": words, "api_id": "1"}
            async with client.get(f"{url}/mo/http", params=given) as answer:
                answer.raise_for_status()

        began = time.perf_counter()
        await one_after_another(texts, UNDER_WAY, call)
        bare = MESSAGES / (time.perf_counter() - began)
    return [
        (f"messages of handsets handed over by HTTP GET, {UNDER_WAY} at a time", str(ours)),
        ("bare aiohttp, the same requests to the same server", f"{bare:,.0f}/s"),
    ]


def rows(home: Path, ways: Sequence[WayName] = tuple(WayName)) -> Iterator[tuple[str, str]]:
    """Each as soon as it is known."""
    for way in ways:
        yield from rows_of_way(way, home / way.value)
    (home / "messages").mkdir(parents=True)
    yield from uvloop.run(rows_of_messages(home / "messages"))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="twoway-bench-") as folder:
        chosen = [WayName(name) for name in sys.argv[1:]] or tuple(WayName)
        for what, figure in rows(Path(folder), chosen):
            sys.stdout.write(f"| {what} | {figure} |\n")
            sys.stdout.flush()
