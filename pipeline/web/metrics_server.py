"""Serves /metrics, /healthz and /readyz of a process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY

from pipeline.process.exposition import exposition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prometheus_client import Metric


class Renamed:
    """The metrics of this process; those of one prefix are shown with another.

    A module of metrics that two kinds of process share names the one it was written for.
    """

    def __init__(self, before: str, after: str) -> None:
        self._before = before
        self._after = after

    def collect(self) -> Iterator[Metric]:
        """Every metric, as `prometheus_client.generate_latest` asks for it."""
        for metric in REGISTRY.collect():
            if metric.name.startswith(self._before):
                metric.name = self._name_of(metric.name)
                metric.samples = [
                    sample._replace(name=self._name_of(sample.name)) for sample in metric.samples
                ]
            yield metric

    def _name_of(self, name: str) -> str:
        return self._after + name.removeprefix(self._before)


async def serve_metrics(
    *,
    host: str,
    port: int,
    ready: Callable[[], bool],
    why: Callable[[], str] = lambda: "",
    registry: Any = REGISTRY,
) -> None:
    """Serve until cancelled; /readyz is 503 until `ready()`, with the words of `why()`."""

    async def metrics(_: web.Request) -> web.Response:
        body = exposition(registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

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
