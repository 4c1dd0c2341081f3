"""A report of a database, served for a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from pipeline.settings import Settings
from pipeline.store.query.questions import Questions
from pipeline.store.report.assembly import report_from
from pipeline.store.report.live.hub import LiveHub
from pipeline.store.report.thread import ReportThread

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.store.clickhouse.database import Database
    from pipeline.store.report.saved_book import SavedBook
    from pipeline.suppression_key import SuppressionKey


class Running:
    """A report that is served, and a client of it."""

    def __init__(
        self,
        database: Database,
        read_key: Callable[[], SuppressionKey | None] = lambda: None,
        saved: SavedBook | None = None,
        **settings: Any,
    ) -> None:
        self.ready = True
        self.hub = LiveHub(gather_seconds=0.05)
        report = report_from(
            Settings(**settings),
            Questions(database),
            is_ready=lambda: self.ready,
            read_key=read_key,
            saved=saved,
            hub=self.hub,
        )
        self.routes = dict(report._routes)
        self._thread = ReportThread(report, host="127.0.0.1", port=0)
        self.url = f"http://127.0.0.1:{self._thread.start()}"
        self.client = httpx.Client(base_url=self.url, timeout=60)

    def stop(self) -> None:
        """Stop serving."""
        self.client.close()
        self._thread.stop()
