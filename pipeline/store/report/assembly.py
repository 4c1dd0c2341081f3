"""Puts the report together."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from pipeline.home.stack import StackError, bootstrap_of
from pipeline.store.clickhouse.database import INSERTS_NAME
from pipeline.store.report.caller import Guard
from pipeline.store.report.export.answer import Exports
from pipeline.store.report.lists.reading import ListReader
from pipeline.store.report.pages.accounts import AccountPages
from pipeline.store.report.pages.decisions import Decisions
from pipeline.store.report.pages.handset import HandsetStories
from pipeline.store.report.pages.letters import LetterStories
from pipeline.store.report.pages.message import MessageStories
from pipeline.store.report.pages.pages import Pages
from pipeline.store.report.pages.rendering import Rendering
from pipeline.store.report.routes import routes_of
from pipeline.store.report.server import Report

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.settings import Settings
    from pipeline.store.query.questions import Questions
    from pipeline.store.report.saved import SavedReport
    from pipeline.suppression_key import SuppressionKey


def report_from(
    settings: Settings,
    questions: Questions,
    *,
    is_ready: Callable[[], bool],
    waits_for: Callable[[], str] = str,
    read_key: Callable[[], SuppressionKey | None] = lambda: None,
    saved: Mapping[str, SavedReport] = MappingProxyType({}),
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
    rendering = Rendering()
    pages = Pages(
        questions,
        reader=reader,
        rendering=rendering,
        handsets=HandsetStories(questions, account=settings.account, read_key=read_key),
        messages=MessageStories(questions),
        letters=letters,
        decisions=decisions,
        saved=saved,
    )
    accounts = AccountPages(questions, reader=reader, rendering=rendering)
    # The embedded engine's process may write there, and it is emptied at each start.
    exports = Exports(reader, settings.home / INSERTS_NAME)
    return Report(
        settings=settings,
        guard=guard,
        routes=routes_of(
            pages, guard=guard, decisions=decisions, exports=exports, accounts=accounts
        ),
        pages=pages,
        questions=questions,
        is_ready=is_ready,
        waits_for=waits_for,
    )


def _bootstrap_of(settings: Settings) -> str:
    try:
        return settings.kafka or bootstrap_of(settings)
    except StackError:
        return ""  # a report without a broker shows, and decides nothing
