"""An installation with every process, its gateway and its application, and a steady load on it."""

from __future__ import annotations

import asyncio
import json
import random
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from pipeline.cli.local.ports import LOOPBACK, free_port
from pipeline.gateway.files import write_apis
from pipeline.gateway.settings import API_IDS, LINKED_API, GatewaySettings
from pipeline.settings import Settings
from pipeline.wire import http_form
from pipeline.wire.callback import MoCallback
from tests.bench.delivery_bench import application
from tests.bench.gateway_bench import process
from tests.bench.traffic import GATEWAY_ZONE
from tests.support.running import RunningStack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NUMBER: Final = GatewaySettings.numbers[0]
NUMBERS_TOML: Final = f"""
[[number]]
number = "{NUMBER}"
kind = "vmn"
api_id = "{LINKED_API}"
reply_path = "crm"
[reply_path.crm]
way = "http-post"
url = "{{application}}"
[[account]]
name = "main"
mode = "book"
mo_price = "1/3"
mt_price = "1"
"""
HANDSETS: Final = 20_000
TEXT: Final = (
    "The shop opens at nine and closes at six on working days but not on holidays when we are away"
    " please write again tomorrow and tell us what you want to order so that it is ready when you"
    " come thank you for your patience and have a good day"
)
WORDS_OF_A_TEXT: Final = (5, 30)  # about 90 characters


@contextmanager
def whole_installation(home: Path) -> Iterator[RunningStack]:
    """All processes, ready, with the partitions that an installation has."""
    port = free_port()
    gateway = GatewaySettings(home=home / "gateway")
    gateway.home.mkdir(parents=True)
    product = f"http://{LOOPBACK}:{port}"
    with (
        application(home / "application") as peer,
        process("tests.bench.played_gateway", str(gateway.home), product) as (_, line),
    ):
        urls = json.loads(line)
        running = RunningStack(home / "stack", settings=_settings(urls, gateway))
        running.home.mkdir()
        write_apis(running.home, gateway, urls)
        (running.home / "numbers.toml").write_text(NUMBERS_TOML.format(application=peer.url))
        running.start("--http-port", str(port))
        try:
            yield running
        finally:
            running.stop(within_seconds=60)


def _settings(urls: dict[str, str], gateway: GatewaySettings) -> dict[str, str]:
    """The partitions of an installation, and logins at the gateway by the ways in that call it."""
    ports = {way: url.rpartition(":")[2] for way, url in urls.items()}
    return {
        "partitions": str(Settings().partitions),
        "smpp_host": LOOPBACK,
        "smpp_port": ports["smpp"],
        "smpp_system_id": gateway.user,
        "smpp_password": gateway.password,
        "smpp_system_type": API_IDS["smpp"],
        "smpp_tls": "off",
        "ftp_host": LOOPBACK,
        "ftp_port": ports["ftp"],
        "ftp_user": API_IDS["ftp"],
        "ftp_password": gateway.password,
        "ftp_tls": "off",
    }


class Load:
    """Messages of handsets, each answered by an MT at once."""

    def __init__(self, ingest: str) -> None:
        self._ingest = ingest
        self._rng = random.Random(5)
        self._words = TEXT.split()
        self._run = f"{time.time_ns():x}"
        self.messages = 0  # in and out

    async def run(self, *, rate: int, seconds: int) -> None:
        """So many messages a second; half of them come in."""
        began = time.monotonic()
        async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as group:
            for n in range(rate * seconds // 2):
                await asyncio.sleep(max(0.0, began + 2 * n / rate - time.monotonic()))
                group.create_task(self._exchange(http, f"{self._run}{self.messages:015x}"))
                self.messages += 2

    def _text(self) -> str:
        return " ".join(self._rng.choices(self._words, k=self._rng.randint(*WORDS_OF_A_TEXT)))[:160]

    async def _exchange(self, http: aiohttp.ClientSession, mo_msg_id: str) -> None:
        handset = f"2783{self._rng.randrange(HANDSETS):08d}"
        callback = MoCallback(
            handset=handset,
            number=NUMBER,
            api_id=LINKED_API,
            mo_msg_id=mo_msg_id,
            timestamp=f"{datetime.now(UTC) + GATEWAY_ZONE:%Y-%m-%d %H:%M:%S}",
            charset="ISO-8859-1",
            octets=self._text().encode(),
        )
        url = f"{self._ingest}/mo/http?{http_form.render(callback).decode()}"
        async with http.get(url) as answer:
            _expect(answer, 200)
        request: dict[str, Any] = {"to": handset, "text": self._text(), "from": NUMBER}
        async with http.post(f"{self._ingest}/mt", json=request) as answer:
            _expect(answer, 202)


def _expect(answer: aiohttp.ClientResponse, status: int) -> None:
    if answer.status != status:
        raise RuntimeError(f"ingest answered {answer.status}")
