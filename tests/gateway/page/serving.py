"""Serves a page on loopback."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web

from pipeline.gateway.page.server import Page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pipeline.gateway.page.seam import Shown


@asynccontextmanager
async def served(shown: Shown) -> AsyncIterator[str]:
    """The address of the page, `http://127.0.0.1:port`."""
    app = web.Application()
    app.add_routes(Page(shown).routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
