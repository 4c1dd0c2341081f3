"""Runs Kannel's bearerbox and smsbox, with one connection to the stand-in and one application."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode

import aiohttp
from aiohttp import web

from pipeline.cli.local.ports import LOOPBACK, free_port
from tests.gateway.independent.tools import PATIENCE_SECONDS, tool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

CONFIGURATION = """
group = core
admin-port = {admin}
admin-password = admin
smsbox-port = {box}
box-allow-ip = 127.0.0.1
log-file = "{folder}/bearerbox.log"
log-level = 0
store-type = file
store-location = "{folder}/store"

{smsc}

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {send}
log-file = "{folder}/smsbox.log"
log-level = 0

group = sendsms-user
username = app
password = app
max-messages = 3
concatenation = true

group = sms-service
keyword = default
catch-all = true
max-messages = 0
get-url = "{app}/mo?from=%p&to=%P&text=%b&udh=%u&coding=%c&charset=%C"
"""


@dataclass
class Kannel:
    """Kannel, and the calls to its application: path, and the first value of each variable."""

    send_url: str
    app_url: str
    told: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    async def send(self, text: str, **given: str) -> str:
        """Send an MT by the smsbox, and ask for a report."""
        values = {"username": "app", "password": "app", "text": text, "charset": "UTF-8"} | given
        values |= {"dlr-mask": "31", "dlr-url": f"{self.app_url}/dlr?kind=%d"}
        url = f"{self.send_url}/cgi-bin/sendsms?{urlencode(values)}"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            answer.raise_for_status()
            return await answer.text()

    def of(self, path: str) -> list[dict[str, str]]:
        """The variables of each call to a path."""
        return [values for at, values in self.told if at == path]


@asynccontextmanager
async def kannel(folder: Path, smsc: str) -> AsyncIterator[Kannel]:
    """Both boxes, from the time at which the connection is online."""
    bearerbox, smsbox = tool("bearerbox", "kannel"), tool("smsbox", "kannel")
    admin, box, send = free_port(), free_port(), free_port()
    found = Kannel(f"http://{LOOPBACK}:{send}", "")

    async def tell(request: web.Request) -> web.Response:
        query = request.rel_url.raw_query_string
        pairs = parse_qs(query, keep_blank_values=True, encoding="latin-1")
        found.told.append((request.path, {name: first for name, (first, *_) in pairs.items()}))
        return web.Response()

    app = web.Application()
    app.router.add_get("/{name}", tell)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, 0).start()
    found.app_url = f"http://{LOOPBACK}:{runner.addresses[0][1]}"
    file = folder / "kannel.conf"
    ports = {"admin": admin, "box": box, "send": send}
    file.write_text(CONFIGURATION.format(folder=folder, smsc=smsc, app=found.app_url, **ports))
    started = []
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            for program, port in ((bearerbox, box), (smsbox, send)):
                words = (program, "-v", "4", str(file))
                quiet = {"stdout": asyncio.subprocess.DEVNULL, "stderr": asyncio.subprocess.DEVNULL}
                started.append(await asyncio.create_subprocess_exec(*words, **quiet))
                await _listens(port)
            online = f"http://{LOOPBACK}:{admin}/status.txt?password=admin"
            await _answers(online, lambda _, text: "(online" in text)
            # the smsbox listens before it has read who may send, and refuses everybody until then
            empty = f"{found.send_url}/cgi-bin/sendsms?username=app&password=app"
            await _answers(empty, lambda status, _: status != HTTPStatus.FORBIDDEN)
        yield found
    finally:
        for process in reversed(started):
            if process.returncode is None:
                process.kill()
            await process.wait()
        await runner.cleanup()


async def _listens(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return


async def _answers(url: str, is_wanted: Callable[[int, str], bool]) -> None:
    """Ask until the status and the text of the answer are the wanted ones."""
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(url) as answer:
                if is_wanted(answer.status, await answer.text()):
                    return
            await asyncio.sleep(0.05)
