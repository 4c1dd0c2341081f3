"""A Faust app on the engine's transport, and running it as this process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import faust
import uvloop

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pipeline.settings import Settings


def create_faust_app(group: str, *, bootstrap: str, settings: Settings) -> faust.App:
    """An app of consumer group `group`, without whatever of Faust we do not use."""
    return faust.App(
        group,
        broker=";".join(f"txn://{server}" for server in bootstrap.split(",")),
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
        datadir=settings.home / "faust",
    )


def in_background(app: faust.App, work: Callable[[], Awaitable[None]]) -> None:
    """Run `work()` beside the agents, for as long as the app runs."""

    async def run() -> None:
        await work()

    app.task(run)


def run_faust_app(app: faust.App, settings: Settings) -> None:
    """Run the app until it is told to stop; ends the process."""
    app.finalize()
    settings.home.mkdir(parents=True, exist_ok=True)
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    worker = app.Worker(loop=loop, loglevel=settings.log_level.upper(), redirect_stdouts=False)
    worker.execute_from_commandline()
