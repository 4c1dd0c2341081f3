"""Code that all processes of ingest share: signals, /metrics, log and exit status."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING, Final

import uvloop

from pipeline.process.hang import end_when_hung
from pipeline.process.log_guard import log_loop_failure, log_to_stderr
from pipeline.web.metrics_server import serve_metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from ingest.publish.publisher import Publisher
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
    """Run `main` to its end. An error in `exits` prints one line and ends with that status."""
    log_to_stderr(settings)
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
) -> None:
    """Run `work`, and set its event on SIGTERM or SIGINT; raises the errors of `work`.

    If `ready` is given and a port is set, /metrics is served meanwhile.
    """
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(log_loop_failure)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    watching = asyncio.create_task(end_when_hung(settings.hang_seconds))
    working = asyncio.create_task(work(ended))
    tasks = [working]
    if settings.metrics_port and ready is not None:
        serving = serve_metrics(host=settings.metrics_host, port=settings.metrics_port, ready=ready)
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


async def kafka_answers(
    publisher: Publisher, ending: asyncio.Task[bool], *, every_seconds: float
) -> bool:
    """Wait until Kafka answers (True) or `ending` is done (False)."""
    while not publisher.is_reachable and not ending.done():
        await asyncio.wait([ending], timeout=every_seconds)
    return not ending.done()
