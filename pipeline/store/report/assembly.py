"""Puts the report together."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pipeline.home.stack import StackError, bootstrap_of
from pipeline.store.clickhouse.database import INSERTS_NAME
from pipeline.store.report.caller import Guard
from pipeline.store.report.charts.pages import ChartPages
from pipeline.store.report.charts.reading import ChartReader
from pipeline.store.report.charts.routes import chart_routes
from pipeline.store.report.downloads.jobs import ExportJobs
from pipeline.store.report.downloads.pages import JobPages
from pipeline.store.report.downloads.routes import job_routes
from pipeline.store.report.export.answer import Exports
from pipeline.store.report.lists.reading import ListReader
from pipeline.store.report.live.hub import LiveHub
from pipeline.store.report.live.stream import live_route
from pipeline.store.report.pages.account_routes import account_routes
from pipeline.store.report.pages.accounts import AccountPages
from pipeline.store.report.pages.decisions import Decisions
from pipeline.store.report.pages.handset import HandsetStories
from pipeline.store.report.pages.letters import LetterStories
from pipeline.store.report.pages.message import MessageStories
from pipeline.store.report.pages.pages import Pages
from pipeline.store.report.pages.rendering import Rendering
from pipeline.store.report.routes import routes_of
from pipeline.store.report.saved_book import SavedBook
from pipeline.store.report.server import Report
from pipeline.store.report.warn.watch import Warnings

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.settings import Settings
    from pipeline.store.query.questions import Questions
    from pipeline.suppression_key import SuppressionKey


def report_from(
    settings: Settings,
    questions: Questions,
    *,
    is_ready: Callable[[], bool],
    waits_for: Callable[[], str] = str,
    read_key: Callable[[], SuppressionKey | None] = lambda: None,
    saved: SavedBook | None = None,
    hub: LiveHub | None = None,
) -> Report:
    """The report of these settings.

    Raises `AccessError` if the address is not loopback and no credentials are set. `read_key`
    gives the key of suppressions; it runs in a thread.
    """
    guard = Guard(settings)
    reader = ListReader(questions)
    letters = LetterStories(questions, alphabet=settings.smpp_default_alphabet)
    decisions = Decisions(
        questions, letters, bootstrap=_bootstrap_of(settings), account=settings.account
    )
    hub = hub or LiveHub()
    warnings = Warnings(questions, changed=partial(hub.tell, "warnings"))
    rendering = Rendering(warnings=lambda: warnings.standing, form_token=guard.form_token)
    pages = Pages(
        questions,
        reader=reader,
        rendering=rendering,
        handsets=HandsetStories(questions, account=settings.account, read_key=read_key),
        messages=MessageStories(questions),
        letters=letters,
        decisions=decisions,
    )
    accounts = AccountPages(questions, reader=reader, rendering=rendering)
    # The embedded engine's process may write there, and it is emptied at each start.
    spool = settings.home / INSERTS_NAME
    exports = Exports(reader, spool)
    jobs = ExportJobs(exports, spool, changed=partial(hub.tell, "jobs", 1))
    of_jobs = JobPages(jobs, saved or SavedBook(), reader=reader, rendering=rendering)
    return Report(
        settings=settings,
        guard=guard,
        routes=[
            *routes_of(pages, guard=guard, decisions=decisions, exports=exports),
            *chart_routes(ChartPages(ChartReader(questions), rendering)),
            *job_routes(of_jobs),
            *account_routes(accounts),
            live_route(hub),
        ],
        pages=pages,
        questions=questions,
        warnings=warnings,
        hub=hub,
        is_ready=is_ready,
        waits_for=waits_for,
    )


def _bootstrap_of(settings: Settings) -> str:
    try:
        return settings.kafka or bootstrap_of(settings)
    except StackError:
        return ""  # a report without a broker shows, and decides nothing
