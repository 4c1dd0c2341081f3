"""The worker process: connects the agent, its topics and its tables.

`twoway worker` runs it, and so does `faust -A pipeline.conversation.process worker`.
"""

from __future__ import annotations

import gc
from functools import partial
from typing import Any, Final

from pipeline.clock import PipelineClock
from pipeline.conversation.agent import Conversation
from pipeline.conversation.tables import TABLES
from pipeline.conversation.ticks import tick
from pipeline.engine.faust.agent import PartitionedAgent
from pipeline.engine.faust.app import App, create_faust_app, in_background, run_faust_app
from pipeline.engine.plan import AgentPlan
from pipeline.home.places import with_place
from pipeline.home.stack import bootstrap_of
from pipeline.kafka import readers, topics
from pipeline.process import hang, troubles
from pipeline.process.log_guard import guard_logs
from pipeline.process.trace_setting import trace_by
from pipeline.settings import Settings, load_settings
from pipeline.web.metrics_server import serve_metrics

#: Thresholds for `gc.set_threshold`.
GC_THRESHOLDS: Final = (20_000, 20, 20)


def create_app(settings: Settings) -> App:
    """The Faust app of a worker."""
    bootstrap = bootstrap_of(settings)
    app = create_faust_app(readers.CONVERSATION, bootstrap=bootstrap, settings=settings)
    conversation = PartitionedAgent(
        app,
        AgentPlan(
            name="conversation",
            group=readers.CONVERSATION,
            bootstrap=bootstrap,
            topics=readers.READ_BY[readers.CONVERSATION],
            may_skip=readers.MAY_SKIP,
            tables=TABLES,
            changelog=topics.CONVERSATION_CHANGELOG,
            processor=lambda partition: Conversation(partition=partition, settings=settings),
            folder=settings.home / "state",
            outputs=readers.WRITTEN_BY["worker"],
        ),
        stall_seconds=settings.stall_seconds,
    )
    conversation.register()
    clock = PipelineClock(None if settings.kafka else settings.home)
    in_background(
        app, partial(tick, bootstrap=bootstrap, clock=clock, partitions=lambda: conversation.tasks)
    )
    if settings.metrics_port:
        serve = partial(
            serve_metrics,
            host=settings.metrics_host,
            port=settings.metrics_port,
            ready=lambda: conversation.ready,
            why=lambda: troubles.lines_of_waiting(conversation.waits_for),
        )
        in_background(app, serve)
    return app


def run(settings: Settings) -> None:
    """Run a worker until it is told to stop; this ends the process."""
    guard_logs(settings)
    settings = with_place(settings, "worker")
    troubles.tell_in(settings.home, "worker")
    hang.watch(settings, "worker")
    trace_by(settings, "worker")
    app = create_app(settings)
    # Objects that exist now live as long as the process; objects of a batch live as long as it.
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    run_faust_app(app, settings)


def __getattr__(name: str) -> Any:
    """`app` for Faust's command line, made at the first access and not at import."""
    if name == "app":
        return create_app(load_settings())
    raise AttributeError(name)
