"""`twoway deliver`: hands messages and events on to the applications of `numbers.toml`."""

from __future__ import annotations

import asyncio
import gc
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pipeline.clock import PipelineClock
from pipeline.delivery import metrics
from pipeline.delivery.agent.agent import DeliveryAgent
from pipeline.delivery.agent.standings import Standings
from pipeline.delivery.agent.tables import DELIVERY_TABLES
from pipeline.delivery.executor import Executor
from pipeline.delivery.post import KafkaResultPost
from pipeline.delivery.secrets_file import (
    NONE,
    SecretsError,
    credentials_from_file,
    reply_secrets_file,
)
from pipeline.delivery.smpp.door import DoorError, SmppDoor
from pipeline.delivery.ways.make import reply_way_of
from pipeline.engine import metrics as engine_metrics
from pipeline.engine.faust.agent import PartitionedAgent
from pipeline.engine.faust.app import App, create_faust_app, in_background, run_faust_app
from pipeline.engine.plan import AgentPlan
from pipeline.home.places import with_place
from pipeline.home.stack import bootstrap_of
from pipeline.kafka import readers, topics
from pipeline.process import troubles
from pipeline.process.log_guard import guard_logs
from pipeline.process.trace_setting import trace_by
from pipeline.web.daemon import EXIT_SETTINGS
from pipeline.web.metrics_server import Renamed, serve_metrics

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.delivery.secrets_file import Credentials
    from pipeline.settings import Settings

SHOW_SECONDS: Final = 1.0
#: Threads that ask for the addresses of names: a resolver that hangs holds one for each name.
RESOLVER_THREADS: Final = 64
#: Thresholds for `gc.set_threshold`.
GC_THRESHOLDS: Final = (20_000, 20, 20)


def create_delivery_app(settings: Settings, credentials: Mapping[str, Credentials]) -> App:
    """The Faust app of the process, with the agent and the executor."""
    bootstrap = bootstrap_of(settings)
    app = create_faust_app(readers.DELIVERY, bootstrap=bootstrap, settings=settings)
    standings = Standings()
    post = KafkaResultPost(bootstrap)
    door = SmppDoor(credentials, settings)
    executor = Executor(
        post,
        make_way=lambda path: reply_way_of(path, credentials.get(path.name, NONE), door=door),
        owns=lambda partition: partition in agent.tasks,
        now=PipelineClock(None if settings.kafka else settings.home).now,
    )
    agent = PartitionedAgent(
        app,
        AgentPlan(
            name="delivery",
            group=readers.DELIVERY,
            bootstrap=bootstrap,
            topics=readers.READ_BY[readers.DELIVERY],
            may_skip=readers.DELIVERY_MAY_SKIP,
            tables=DELIVERY_TABLES,
            changelog=topics.DELIVERY_CHANGELOG,
            processor=lambda partition: DeliveryAgent(
                partition=partition,
                settings=settings,
                hand_over=executor.take,
                standings=standings,
            ),
            folder=settings.home / "state",
            outputs=readers.WRITTEN_BY["deliver"],
        ),
        stall_seconds=settings.stall_seconds,
    )
    agent.register()

    async def show() -> None:
        pool = ThreadPoolExecutor(RESOLVER_THREADS, thread_name_prefix="resolver")
        asyncio.get_running_loop().set_default_executor(pool)
        await door.start()
        while True:
            await asyncio.sleep(SHOW_SECONDS)
            standings.show({p: task.state.tables for p, task in agent.tasks.items()})
            for path, sessions in door.sessions_bound().items():
                metrics.SMPP_BOUND.labels(path).set(sessions)

    async def end(_app: App, **_: Any) -> None:
        await executor.close()
        await door.stop()
        await post.stop()

    in_background(app, show)
    app.on_before_shutdown.connect(end, weak=False)
    if settings.metrics_port:
        serve = partial(
            serve_metrics,
            host=settings.metrics_host,
            port=settings.metrics_port,
            ready=lambda: agent.ready and post.is_reachable,
            why=lambda: troubles.lines_of_waiting(agent.waits_for),
            registry=Renamed(engine_metrics.METRICS_PREFIX, metrics.ENGINE_PREFIX),
        )
        in_background(app, serve)
    return app


def run(settings: Settings) -> None:
    """Run until a signal; this ends the process, with exit code 2 for wrong settings."""
    guard_logs(settings)
    settings = with_place(settings, "deliver")
    troubles.tell_in(settings.home, "deliver")
    trace_by(settings, "deliver")
    try:
        credentials = credentials_from_file(
            reply_secrets_file(settings), must_be_there=bool(settings.reply_secrets_file)
        )
        app = create_delivery_app(settings, credentials)
    except (SecretsError, DoorError) as error:
        print(f"twoway deliver: {error}", file=sys.stderr)
        raise SystemExit(EXIT_SETTINGS) from error
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    run_faust_app(app, settings)
