"""The worker: what reads what and writes what, wired in one place.

`twoway worker` runs it; so does `faust -A pipeline.worker worker`.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import faust

from pipeline import topics
from pipeline.agents.conversation import MAY_SKIP, SOURCES, TABLES, Conversation
from pipeline.agents.ticks import tick
from pipeline.clock import PipelineClock
from pipeline.engine.agent import PartitionedAgent
from pipeline.engine.task import AgentPlan
from pipeline.metrics_server import serve_metrics
from pipeline.settings import Settings, load_settings
from pipeline.stack import bootstrap_of

if TYPE_CHECKING:
    from collections.abc import Coroutine

CONVERSATION_GROUP: Final = "twoway-conversation"


def create_app(settings: Settings) -> faust.App:
    """The Faust app of a worker."""
    bootstrap = bootstrap_of(settings)
    app = create_faust_app(CONVERSATION_GROUP, bootstrap=bootstrap, settings=settings)
    conversation = PartitionedAgent(
        app,
        AgentPlan(
            name="conversation",
            group=CONVERSATION_GROUP,
            bootstrap=bootstrap,
            topics=SOURCES,
            may_skip=MAY_SKIP,
            tables=TABLES,
            changelog=topics.CONVERSATION_CHANGELOG,
            processor=lambda partition: Conversation(partition=partition, settings=settings),
        ),
    )
    conversation.register()
    clock = PipelineClock(None if settings.kafka else settings.home)
    in_background(
        app, partial(tick, bootstrap=bootstrap, clock=clock, partitions=lambda: conversation.tasks)
    )
    if settings.metrics_port:
        in_background(
            app,
            partial(serve_metrics, port=settings.metrics_port, ready=lambda: conversation.ready),
        )
    return app


def create_faust_app(group: str, *, bootstrap: str, settings: Settings) -> faust.App:
    """A Faust app on the engine's transport, with nothing of Faust's that we do not use."""
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


def in_background(app: faust.App, work: Any) -> None:
    """Run `work()` beside the agents, for as long as the worker runs."""

    async def run() -> None:
        coroutine: Coroutine[Any, Any, None] = work()
        await coroutine

    app.task(run)


def run(settings: Settings) -> None:
    """Run a worker until it is told to stop; ends the process."""
    run_faust_app(create_app(settings), settings)


def run_faust_app(app: faust.App, settings: Settings) -> None:
    """Run a Faust app in this process, under uvloop."""
    import uvloop

    app.finalize()
    settings.home.mkdir(parents=True, exist_ok=True)
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    worker = app.Worker(loop=loop, loglevel=settings.log_level.upper(), redirect_stdouts=False)
    worker.execute_from_commandline()


def __getattr__(name: str) -> Any:
    """`app` for Faust's own command line, made when it is asked for and not at import."""
    if name == "app":
        logging.getLogger(__name__).debug("app made for Faust's command line")
        return create_app(load_settings())
    raise AttributeError(name)
