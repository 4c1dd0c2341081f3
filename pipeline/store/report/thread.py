"""Serves the report on a loop and in a thread of its own: it holds the store up in nothing."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Final

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.store.report.server import Report

_STOP_SECONDS: Final = 5


class ReportThread:
    """Serves a report beside whatever else the process does."""

    def __init__(self, report: Report, *, host: str, port: int) -> None:
        self._report = report
        self._host, self._port = host, port
        self._thread = threading.Thread(target=self._run, name="report", daemon=True)
        self._started: Future[int] = Future()
        self._stop: Callable[[], object] = lambda: None

    def start(self) -> int:
        """Serve; gives the port once it is bound, raises `OSError` when it cannot be."""
        self._thread.start()
        return self._started.result()

    def stop(self) -> None:
        """End it, and wait for that."""
        self._stop()
        self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        stopped = asyncio.Event()
        self._stop = partial(asyncio.get_running_loop().call_soon_threadsafe, stopped.set)
        server = web.ServerRunner(web.Server(self._report.answer, access_log=None))
        await server.setup()
        try:
            await web.TCPSite(server, self._host, self._port).start()
        except OSError as error:
            self._stop = lambda: None  # this loop ends at once
            self._started.set_exception(error)
            return
        else:
            self._started.set_result(server.addresses[0][1])
            await stopped.wait()
        finally:
            await server.cleanup()
