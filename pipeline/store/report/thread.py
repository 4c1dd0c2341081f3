"""Serves the report in a separate thread with its own event loop, so the store never waits."""

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
    """Serves a report beside the other work of the process."""

    def __init__(self, report: Report, *, host: str, port: int) -> None:
        self._report = report
        self._host, self._port = host, port
        self._thread = threading.Thread(target=self._run, name="report", daemon=True)
        self._started: Future[int] = Future()
        self._stop: Callable[[], object] = lambda: None

    def start(self) -> int:
        """Start to serve; returns the port once it is bound. Raises `OSError` if it cannot be."""
        self._thread.start()
        return self._started.result()

    def stop(self) -> None:
        """Stop serving, and wait for the thread to end."""
        self._stop()
        self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        stopped = asyncio.Event()
        self._stop = partial(asyncio.get_running_loop().call_soon_threadsafe, stopped.set)
        server = web.ServerRunner(web.Server(self._report.answer, access_log=None))
        await server.setup()
        watching = asyncio.create_task(self._report.look_for_warnings(), name="warnings")
        try:
            await web.TCPSite(server, self._host, self._port).start()
        except OSError as error:
            self._stop = lambda: None  # the loop ends at once, so `stop` has nothing to do
            self._started.set_exception(error)
            return
        else:
            self._started.set_result(server.addresses[0][1])
            await stopped.wait()
        finally:
            watching.cancel()
            self._report.end_streams()
            await server.cleanup()
