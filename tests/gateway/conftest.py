"""The stand-in of the gateway, and a product that only records the calls to it."""

from __future__ import annotations

import shutil
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from pipeline.clock import PipelineClock
from pipeline.gateway.certificates import AUTHORITY
from pipeline.gateway.doors import ftp_server
from pipeline.gateway.gateway import Gateway
from pipeline.gateway.settings import GatewaySettings
from pipeline.gateway.world import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path


@dataclass
class Product:
    """The calls that the product got (path, query, body), and the status that it answers."""

    status: int = 200
    calls: list[tuple[str, bytes, bytes]] = field(default_factory=list)
    url: str = ""

    async def serve(self, request: web.Request) -> web.Response:
        query = request.rel_url.raw_query_string.encode()
        self.calls.append((request.path, query, await request.read()))
        return web.Response(status=self.status)


@dataclass
class Played:
    """The stand-in, and the product that it calls."""

    gateway: Gateway
    product: Product


@pytest.fixture(scope="session")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the stand-in's certificates, and nothing else: to make them takes a while."""
    home = tmp_path_factory.mktemp("certified")
    Gateway(GatewaySettings(home=home), World(PipelineClock(home).now)).certificates.make()
    return home


@pytest.fixture
def play(tmp_path: Path, certified: Path) -> Callable[..., AbstractAsyncContextManager[Played]]:
    @asynccontextmanager
    async def played(**given: Any) -> AsyncIterator[Played]:
        product = Product()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", product.serve)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        product.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        fields = {"gateway_seconds": 0.0, "handset_seconds": 0.0, "folder_seconds": 0.1}
        given = {"product": product.url} | given
        settings = GatewaySettings(home=tmp_path, **fields | given)
        if not (tmp_path / AUTHORITY).exists():
            shutil.copytree(certified, tmp_path, dirs_exist_ok=True)
        gateway = Gateway(settings, World(PipelineClock(tmp_path).now))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ftp_server, "_POLL_SECONDS", 0.02)  # what its thread takes to end
            try:
                await gateway.start()
                yield Played(gateway, product)
            finally:
                await gateway.stop()
                await runner.cleanup()

    return played
