"""Makes a Faust app on the engine's transport, and runs it as this process."""

from __future__ import annotations

import asyncio
import socket
import time
from functools import partial
from typing import TYPE_CHECKING, Final

import uvloop
from faust import App, Worker
from faust.types import TP

from pipeline.engine.faust.credentials import credentials_of
from pipeline.process.hang import end_when_hung
from pipeline.process.log_format import format_handlers
from pipeline.process.log_guard import brake_handlers
from pipeline.process.stop import stop_for

if TYPE_CHECKING:
    import logging
    from collections.abc import Awaitable, Callable, Sequence

    from pipeline.settings import Settings

#: The names of Faust that other modules need; they import them from here.
__all__ = [
    "TP",
    "App",
    "create_faust_app",
    "in_background",
    "run_faust_app",
    "wait_for_broker",
    "worker_of",
]

FAUST_FOLDER: Final = "faust"  # of the home; Faust makes folders in it, and writes nothing
BROKER_SECONDS: Final = 30.0
KNOCK_SECONDS: Final = 0.5


def create_faust_app(group: str, *, bootstrap: str, settings: Settings) -> App:
    """An app of consumer group `group`, without the parts of Faust that we do not use."""
    return App(
        group,
        broker=";".join(f"txn://{server}" for server in bootstrap.split(",")),
        broker_credentials=credentials_of(bootstrap),
        broker_session_timeout=10,
        broker_heartbeat_interval=2,
        broker_rebalance_timeout=20,
        broker_request_timeout=30,
        consumer_group_instance_id=settings.instance or None,
        consumer_max_fetch_size=4 << 20,
        store="memory://",
        table_standby_replicas=0,
        topic_allow_declare=False,
        topic_disable_leader=True,
        topic_partitions=settings.partitions,
        stream_buffer_maxsize=4096,
        web_enabled=False,
        worker_redirect_stdouts=False,
        datadir=settings.home / FAUST_FOLDER,
    )


def in_background(app: App, work: Callable[[], Awaitable[None]]) -> None:
    """Run `work()` beside the agents, for as long as the app runs."""

    async def run() -> None:
        await work()

    app.task(run)


def run_faust_app(app: App, settings: Settings) -> None:
    """Run the app until it is told to stop; this ends the process."""
    in_background(app, partial(end_when_hung, settings.hang_seconds))
    app.finalize()
    wait_for_broker([(url.host, url.port) for url in app.conf.broker])
    settings.home.mkdir(parents=True, exist_ok=True)
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    worker = worker_of(app, loop, settings)
    worker.execute_from_commandline()


def worker_of(app: App, loop: asyncio.AbstractEventLoop, settings: Settings) -> Worker:
    """The Faust worker that runs the app, at the log level of the settings.

    Faust turns a spinner with every log line. For that, at level `warning` or above, it makes every
    library produce its debug lines. So the spinner is removed.
    """

    class BrakedWorker(Worker):  # type: ignore[misc]
        """A worker that adds the brake to its log."""

        def on_setup_root_logger(self, logger: logging.Logger, level: int) -> None:
            brake_handlers()
            format_handlers(settings)

    worker = BrakedWorker(
        app, loop=loop, loglevel=settings.log_level.upper(), redirect_stdouts=False
    )
    worker.spinner = None
    return worker


def wait_for_broker(servers: Sequence[tuple[str, int]]) -> None:
    """Wait until one of the servers accepts a connection; end the process if none does for long.

    A broker that restarts is normal, and Faust would log a hundred lines about it.
    """
    deadline = time.monotonic() + BROKER_SECONDS
    while True:
        refusals = [refusal for server in servers if (refusal := _knock(server))]
        if len(refusals) < len(servers):
            return
        if time.monotonic() > deadline:
            stop_for(f"no broker answers for {BROKER_SECONDS:.0f} s: {', '.join(refusals)}")
        time.sleep(KNOCK_SECONDS)


def _knock(server: tuple[str, int]) -> str:
    """Why a connection failed, in words; empty if it did not fail."""
    try:
        socket.create_connection(server, timeout=BROKER_SECONDS).close()
    except OSError as error:
        return f"{server[0]}:{server[1]}: {error.strerror or error}"
    return ""
