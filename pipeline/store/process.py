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

from pipeline.home.lock import FolderTaken
from pipeline.home.stack import bootstrap_of
from pipeline.process import hang, troubles
from pipeline.process.log_guard import guard_logs
from pipeline.process.stop import stop_for
from pipeline.store.clickhouse.database import Database
from pipeline.store.clickhouse.migrations import MigrationRefused
from pipeline.store.clickhouse.writer import ClickHouseWriter
from pipeline.store.confinement import Confinement
from pipeline.store.consumer import run_agent
from pipeline.store.query.questions import Questions
from pipeline.store.report.assembly import report_from
from pipeline.store.report.export.saved_book import open_book
from pipeline.store.report.live.hub import LiveHub
from pipeline.store.report.serving import (
    secrets_or_none,
    single_sign_on_of,
    tls_of_report,
)
from pipeline.store.report.thread import ReportThread
from pipeline.store.report.who.users_file import USERS_FILE, users_from_file
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
    tls = tls_of_report(settings)
    secrets, single_sign_on = secrets_or_none(settings.home), single_sign_on_of(settings)
    hub = LiveHub()
    with ExitStack() as stack:
        key_reader, users_reader = read_key, users_from_file
        if not settings.clickhouse:
            settings = replace(settings, kafka=bootstrap_of(settings))  # while it can read the home
            confinement = stack.enter_context(Confinement(settings.home))
            key_reader, users_reader = confinement.read_key, confinement.read_users
        database = stack.enter_context(_opened(settings))
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
            read_users=lambda: users_reader(settings.home / USERS_FILE),
            home_secrets=secrets,
            single_sign_on=single_sign_on,
            hub=hub,
        )
        thread = ReportThread(report, host=settings.report_host, port=settings.report_port, tls=tls)
        try:
            port = thread.start()
            log.info(
                "the report is at http%s://%s:%d/", "s" if tls else "", settings.report_host, port
            )
            run_agent(settings, sink, read_key=key_reader)
        finally:
            thread.stop()
            writer.close()


def _opened(settings: Settings) -> Database:
    """The database; ends the process if it is another's, or is that of another version."""
    try:
        return Database(settings)
    except (FolderTaken, MigrationRefused) as refused:
        stop_for(str(refused))
