"""The process `gateway`: keeps every door open until it is told to end."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pipeline.clock import PipelineClock
from pipeline.gateway.account.numbers import UnusableNumbers, with_numbers
from pipeline.gateway.faults.reading import UnusableFaults
from pipeline.gateway.files import APIS, WHERE, write_apis, write_where
from pipeline.gateway.gateway import Gateway
from pipeline.gateway.world import World
from pipeline.web.daemon import EXIT_SETTINGS, EXIT_TAKEN, run_process, run_until_signalled

if TYPE_CHECKING:
    import asyncio

    from pipeline.gateway.settings import GatewaySettings
    from pipeline.settings import Settings


def run(settings: Settings, own: GatewaySettings) -> None:
    """Run the stand-in; a port in use ends the process with one line."""

    async def main() -> None:
        await run_until_signalled(lambda ended: _serve(own, ended), settings)

    own.home.mkdir(parents=True, exist_ok=True)
    exits: dict[type[Exception], int] = {
        UnusableFaults: EXIT_SETTINGS,
        UnusableNumbers: EXIT_SETTINGS,
        OSError: EXIT_TAKEN,
    }
    run_process("gateway", main, settings, exits=exits)


async def _serve(own: GatewaySettings, ended: asyncio.Event) -> None:
    gateway = Gateway(with_numbers(own), World(PipelineClock(own.home).now))
    try:
        await gateway.start()
        write_where(own.home, gateway.urls)
        for way, url in gateway.urls.items():
            _say(f"{way:5} {url}")
        _say(f"trust {gateway.certificates.authority}")
        _say(f"page  {gateway.urls['http'].removesuffix('http')}")
        if write_apis(own.home, own, gateway.urls):
            _say(f"{own.home / APIS} written: `twoway up` sends by it")
        await ended.wait()
    finally:
        (own.home / WHERE).unlink(missing_ok=True)
        await gateway.stop()


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()
