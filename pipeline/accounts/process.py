"""`twoway accounts`: keeps the ledger of each account, and releases the messages that are paid."""

from __future__ import annotations

import asyncio
import gc
from functools import partial
from typing import TYPE_CHECKING, Final

from pipeline.accounts import metrics
from pipeline.accounts.agent import AccountsAgent
from pipeline.accounts.balances import Balances
from pipeline.accounts.tables import ACCOUNT_TABLES
from pipeline.engine import metrics as engine_metrics
from pipeline.engine.faust.agent import PartitionedAgent
from pipeline.engine.faust.app import App, create_faust_app, in_background, run_faust_app
from pipeline.engine.plan import AgentPlan
from pipeline.home.places import with_place
from pipeline.home.stack import bootstrap_of
from pipeline.kafka import readers, topics
from pipeline.process import hang, troubles
from pipeline.process.log_guard import guard_logs
from pipeline.process.trace_setting import trace_by
from pipeline.web.metrics_server import Renamed, serve_metrics

if TYPE_CHECKING:
    from pipeline.settings import Settings

SHOW_SECONDS: Final = 1.0
#: Thresholds for `gc.set_threshold`.
GC_THRESHOLDS: Final = (20_000, 20, 20)


def create_accounts_app(settings: Settings) -> App:
    """The Faust app of the process."""
    bootstrap = bootstrap_of(settings)
    app = create_faust_app(readers.ACCOUNTS, bootstrap=bootstrap, settings=settings)
    balances = Balances()
    agent = PartitionedAgent(
        app,
        AgentPlan(
            name="accounts",
            group=readers.ACCOUNTS,
            bootstrap=bootstrap,
            topics=readers.READ_BY[readers.ACCOUNTS],
            may_skip=readers.ACCOUNTS_MAY_SKIP,
            tables=ACCOUNT_TABLES,
            changelog=topics.ACCOUNTS_CHANGELOG,
            processor=lambda partition: AccountsAgent(
                partition=partition, settings=settings, balances=balances
            ),
            folder=settings.home / "state",
            waits_for_open=True,
            outputs=readers.WRITTEN_BY["accounts"],
        ),
        stall_seconds=settings.stall_seconds,
    )
    agent.register()

    async def show() -> None:
        while True:
            await asyncio.sleep(SHOW_SECONDS)
            balances.show_balances(agent.tasks)

    in_background(app, show)
    if settings.metrics_port:
        serve = partial(
            serve_metrics,
            host=settings.metrics_host,
            port=settings.metrics_port,
            ready=lambda: agent.ready,
            why=lambda: troubles.lines_of_waiting(agent.waits_for),
            registry=Renamed(engine_metrics.METRICS_PREFIX, metrics.AGENT_PREFIX),
        )
        in_background(app, serve)
    return app


def run(settings: Settings) -> None:
    """Keep the ledgers until it is told to stop; this ends the process."""
    guard_logs(settings)
    settings = with_place(settings, "accounts")
    troubles.tell_in(settings.home, "accounts")
    hang.watch(settings, "accounts")
    trace_by(settings, "accounts")
    app = create_accounts_app(settings)
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    run_faust_app(app, settings)
