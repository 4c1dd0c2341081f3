"""Puts the report together."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pipeline.home.stack import StackError, bootstrap_of
from pipeline.store.clickhouse.database import INSERTS_NAME
from pipeline.store.report.access_records import AccessRecords
from pipeline.store.report.charts.pages import ChartPages
from pipeline.store.report.charts.reading import ChartReader
from pipeline.store.report.charts.routes import chart_routes
from pipeline.store.report.downloads.jobs import ExportJobs
from pipeline.store.report.downloads.pages import JobPages
from pipeline.store.report.downloads.routes import job_routes
from pipeline.store.report.export.answer import Exports
from pipeline.store.report.export.saved_book import SavedBook
from pipeline.store.report.lists.reading import ListReader
from pipeline.store.report.live.hub import LiveHub
from pipeline.store.report.live.stream import live_route
from pipeline.store.report.masking.seal import Seal
from pipeline.store.report.masking.seen_questions import SeenQuestions
from pipeline.store.report.pages.account_routes import account_routes
from pipeline.store.report.pages.accounts import AccountPages
from pipeline.store.report.pages.decisions import Decisions
from pipeline.store.report.pages.handset import HandsetStories
from pipeline.store.report.pages.letters import LetterStories
from pipeline.store.report.pages.message import MessageStories
from pipeline.store.report.pages.pages import Pages
from pipeline.store.report.pages.rendering import Rendering
from pipeline.store.report.routes import routes_of
from pipeline.store.report.server import Report
from pipeline.store.report.signing_in import SigningIn
from pipeline.store.report.warn.watch import Warnings
from pipeline.store.report.who.guard import Guard
from pipeline.store.report.who.home_secrets import HomeSecrets, passing_secrets
from pipeline.store.report.who.sessions import Sessions
from pipeline.store.report.who.users_now import ReadUsers, UsersNow

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.settings import Settings
    from pipeline.store.query.questions import Questions
    from pipeline.store.report.who.single_sign_on.flow import SingleSignOn
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
    read_users: ReadUsers = lambda: None,
    home_secrets: HomeSecrets | None = None,
    single_sign_on: SingleSignOn | None = None,
) -> Report:
    """The report of these settings.

    Raises `AccessError` if anybody could call. `read_key` gives the key of suppressions, and
    `read_users` the users; both run in a thread. All questions are asked as the caller may see the
    answers.
    """
    held = home_secrets or passing_secrets()
    seal = Seal(held.key)
    hub = hub or LiveHub()
    warnings = Warnings(questions, changed=partial(hub.tell, "warnings"))
    questions = SeenQuestions(questions, seal)
    users, sessions = UsersNow(read_users), Sessions()
    guard = Guard(settings, users=users, sessions=sessions, token=held.token)
    rendering = Rendering(warnings=lambda: warnings.standing)
    reader = ListReader(questions)
    letters = LetterStories(questions, alphabet=settings.smpp_default_alphabet)
    bootstrap = _bootstrap_of(settings)
    decisions = Decisions(questions, letters, bootstrap=bootstrap, account=settings.account)
    pages = Pages(
        questions,
        reader=reader,
        rendering=rendering,
        handsets=HandsetStories(
            questions, account=settings.account, read_key=read_key, unsealed=questions.plain_of
        ),
        messages=MessageStories(questions),
        letters=letters,
        decisions=decisions,
    )
    accounts = AccountPages(questions, reader=reader, rendering=rendering)
    # The embedded engine's process may write there, and it is emptied at each start.
    spool = settings.home / INSERTS_NAME
    exports = Exports(reader, questions, spool)
    jobs = ExportJobs(exports, spool, changed=partial(hub.tell, "jobs", 1))
    of_jobs = JobPages(jobs, saved or SavedBook(), reader=reader, rendering=rendering)
    return Report(
        settings=settings,
        guard=guard,
        routes=[
            *routes_of(pages, decisions=decisions, exports=exports),
            *chart_routes(ChartPages(ChartReader(questions), rendering)),
            *job_routes(of_jobs),
            *account_routes(accounts),
            live_route(hub, guard.is_still_in),
        ],
        pages=pages,
        questions=questions,
        signing_in=SigningIn(
            guard=guard,
            users=users,
            sessions=sessions,
            rendering=rendering,
            single_sign_on=single_sign_on,
        ),
        records=AccessRecords(bootstrap),
        seal=seal,
        warnings=warnings,
        hub=hub,
        is_ready=is_ready,
        waits_for=waits_for,
    )


def _bootstrap_of(settings: Settings) -> str:
    try:
        return bootstrap_of(settings)
    except StackError:
        return ""  # a report without a broker shows, and decides nothing
