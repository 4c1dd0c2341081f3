"""The store process: it owns the engine, writes every event, and serves the report.

topics ─> StoreAgent ───> Sink ─> ClickHouseWriter ─┐
                                                    ├─ Database (embedded, or a server)
HTTP ───> Report ───────> Questions (read-only) ────┘
"""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.home.stack import bootstrap_of
from pipeline.process import hang, troubles
from pipeline.process.log_guard import guard_logs
from pipeline.store.clickhouse.database import Database
from pipeline.store.clickhouse.writer import ClickHouseWriter
from pipeline.store.confinement import Confinement
from pipeline.store.consumer import run_agent
from pipeline.store.query.questions import Questions
from pipeline.store.report.assembly import report_from
from pipeline.store.report.live.hub import LiveHub
from pipeline.store.report.saved_book import open_book
from pipeline.store.report.thread import ReportThread
from pipeline.store.sink.lane import BlockLimits
from pipeline.store.sink.sink import Sink
from pipeline.suppression_key import key_file, read_key

if TYPE_CHECKING:
    from pipeline.settings import Settings

log = logging.getLogger(__name__)


def run(settings: Settings) -> None:
    """Run the store until it is told to stop, or cannot go on."""
    guard_logs(settings)
    troubles.tell_in(settings.home, "store")
    hang.watch(settings, "store")
    saved = open_book(settings.home)  # while it can read the home
    hub = LiveHub()
    with ExitStack() as stack:
        key_reader = read_key
        if not settings.clickhouse:
            settings = replace(settings, kafka=bootstrap_of(settings))  # while it can read the home
            key_reader = stack.enter_context(Confinement(settings.home)).read_key
        database = stack.enter_context(Database(settings))
        writer = ClickHouseWriter(database.writing, is_server=not database.is_embedded)
        sink = Sink(
            writer=writer,
            limits=BlockLimits(rows=settings.block_rows, seconds=settings.block_seconds),
            stored=hub.tell,
        )
        report = report_from(
            settings,
            Questions(database),
            is_ready=lambda: sink.ready,
            waits_for=lambda: sink.waits_for,
            read_key=lambda: key_reader(key_file(settings)),
            saved=saved,
            hub=hub,
        )
        thread = ReportThread(report, host=settings.report_host, port=settings.report_port)
        try:
            port = thread.start()
            log.info("the report is at http://%s:%d/", settings.report_host, port)
            run_agent(settings, sink, read_key=key_reader)
        finally:
            thread.stop()
            writer.close()
