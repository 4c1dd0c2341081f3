"""Serves /metrics, /healthz and /readyz of a process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from pipeline.process.exposition import exposition

if TYPE_CHECKING:
    from collections.abc import Callable


async def serve_metrics(
    *, host: str, port: int, ready: Callable[[], bool], why: Callable[[], str] = lambda: ""
) -> None:
    """Serve until cancelled; /readyz is 503 until `ready()`, with the words of `why()`."""

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def health(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readiness(_: web.Request) -> web.Response:
        is_ready = ready()
        if is_ready:
            return web.Response(text="ready\n")
        words = why()
        return web.Response(text=f"not ready\n{words}\n" if words else "not ready\n", status=503)

    app = web.Application()
    app.add_routes(
        [web.get("/metrics", metrics), web.get("/healthz", health), web.get("/readyz", readiness)]
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()
