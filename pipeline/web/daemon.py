"""What long-running processes share: signals, /metrics, log and exit status."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING, Final

import uvloop

from pipeline.process import hang, troubles
from pipeline.process.log_guard import log_loop_failure, log_to_stderr
from pipeline.process.trace_setting import trace_by

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from pipeline.settings import Settings


EXIT_SETTINGS: Final = 2
EXIT_TAKEN: Final = 1  # a port or a folder


def run_process(
    name: str,
    main: Callable[[], Coroutine[None, None, None]],
    settings: Settings,
    *,
    exits: Mapping[type[Exception], int],
) -> None:
    """Run `main` to its end; an error of `exits` is one line and that exit status."""
    log_to_stderr(settings)
    troubles.tell_in(settings.home, name)
    hang.watch(settings, name)
    trace_by(settings, name)
    try:
        uvloop.run(main())
    except tuple(exits) as error:
        print(f"twoway {name}: {error}", file=sys.stderr)
        status = next(status for kind, status in exits.items() if isinstance(error, kind))
        raise SystemExit(status) from error


async def run_until_signalled(
    work: Callable[[asyncio.Event], Coroutine[None, None, None]],
    settings: Settings,
    *,
    ready: Callable[[], bool] | None = None,
    why: Callable[[], str] = lambda: "",
) -> None:
    """`work` until SIGTERM or SIGINT sets its event; raises what it raises.

    With `ready`, /metrics is served beside it where a port is set, and /readyz with `why()`.
    """
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(log_loop_failure)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    watching = asyncio.create_task(hang.end_when_hung(settings.hang_seconds))
    working = asyncio.create_task(work(ended))
    tasks = [working]
    if settings.metrics_port and ready is not None:
        from pipeline.web.metrics_server import serve_metrics  # aiohttp, which takes 0.1 s to load

        serving = serve_metrics(
            host=settings.metrics_host, port=settings.metrics_port, ready=ready, why=why
        )
        tasks.append(asyncio.create_task(serving))
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    ended.set()
    await working
    watching.cancel()
    for task in tasks[1:]:
        if task.done():
            task.result()
        task.cancel()
        await asyncio.wait([task])
