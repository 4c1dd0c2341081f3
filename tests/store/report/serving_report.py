"""A report of a database, served for a test."""

from __future__ import annotations

import re
import ssl
from functools import cache
from typing import TYPE_CHECKING, Any

import httpx

from pipeline.settings import Settings
from pipeline.store.report.assembly import report_from
from pipeline.store.report.live.hub import LiveHub
from pipeline.store.report.thread import ReportThread
from tests.store.report.plain_client import PlainClient
from tests.support.asking import questions_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.store.clickhouse.database import Database
    from pipeline.store.report.export.saved_book import SavedBook
    from pipeline.store.report.who.home_secrets import HomeSecrets
    from pipeline.store.report.who.single_sign_on.flow import SingleSignOn
    from pipeline.store.report.who.users_now import ReadUsers
    from pipeline.suppression_key import SuppressionKey


class Running:
    """A report that is served, and a client of it."""

    def __init__(
        self,
        database: Database,
        read_key: Callable[[], SuppressionKey | None] = lambda: None,
        *,
        read_users: ReadUsers = lambda: None,
        home_secrets: HomeSecrets | None = None,
        single_sign_on: SingleSignOn | None = None,
        tls: ssl.SSLContext | None = None,
        saved: SavedBook | None = None,
        **settings: Any,
    ) -> None:
        self.ready = True
        self.hub = LiveHub(gather_seconds=0.05)
        self.report = report_from(
            Settings(**settings),
            questions_of(database),
            is_ready=lambda: self.ready,
            read_key=read_key,
            read_users=read_users,
            home_secrets=home_secrets,
            single_sign_on=single_sign_on,
            saved=saved,
            hub=self.hub,
        )
        self.routes = {(each.method, each.path): each for each in self.report.routes}
        self._thread = ReportThread(self.report, host="127.0.0.1", port=0, tls=tls)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._thread.start()}"
        self.client = self.new_client()

    def new_client(self, **how: Any) -> httpx.Client:
        """A client with cookies of its own."""
        return httpx.Client(base_url=self.url, timeout=60, **({"verify": _tls()} | how))

    def plain_client(self) -> PlainClient:
        """A client with cookies of its own, for thousands of requests."""
        return PlainClient(self.url)

    def stop(self) -> None:
        """Stop serving."""
        self.client.close()
        self._thread.stop()


@cache
def _tls() -> ssl.SSLContext:
    """One for all clients: each would read the authorities of the system again, for 19 ms."""
    return ssl.create_default_context()


def form_token_of(page: str) -> str:
    """The token of the first form of a page."""
    found = re.search(r'name="form_token" value="([0-9a-f]+)"', page)
    assert found
    return found[1]


def sign_in(client: Any, name: str, password: str, next: str = "") -> Any:
    """Sign in as a browser does, and stay where it leads."""
    page = client.get("/sign-in", params={"next": next} if next else {})
    form = {"form_token": form_token_of(page.text), "name": name, "password": password}
    return client.post("/sign-in", data=form | ({"next": next} if next else {}))
