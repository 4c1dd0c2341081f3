"""The report over HTTP: pages, CSV and SQL, all read-only.

The report shows personal data. So it listens on loopback only, or requires credentials.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from aiohttp import web
from clickhouse_connect.driver.exceptions import ClickHouseError
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from pipeline.process.log_guard import words_for_log
from pipeline.process.peer_words import words_of_error
from pipeline.store import metrics
from pipeline.store.query.questions import BadStatement
from pipeline.store.query.statement_text import Refused
from pipeline.store.report.filters import BadFilter
from pipeline.store.report.listings import LISTINGS
from pipeline.store.report.pages import STYLE, Pages
from pipeline.store.report.sql_body import question_from_octets
from pipeline.web.access import OTHER_SIGNS, Access, path_from_octets
from pipeline.web.browser_guard import BAD_HOST, host_name_of, refuse_page

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from pipeline.store.query.questions import Questions

log = logging.getLogger(__name__)

OPEN_PATHS: Final = frozenset({"/healthz", "/readyz"})
_SAFETY: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_HTML: Final = "text/html"

ReportHandler = Callable[[web.BaseRequest], Awaitable[web.Response]]


class Report:
    """Answers the requests of the report."""

    def __init__(
        self,
        *,
        settings: Settings,
        questions: Questions,
        is_ready: Callable[[], bool],
        waits_for: Callable[[], str] = str,
    ) -> None:
        """Raises `AccessError` if the address is not loopback and no credentials are set."""
        self._access = Access(dataclasses.replace(settings, http_host=settings.report_host))
        self._questions = questions
        self._pages = Pages(questions)
        self._is_ready = is_ready
        self._waits_for = waits_for
        self._body_limit = settings.body_limit_bytes
        self._handlers: dict[tuple[str, str], ReportHandler] = {
            ("GET", "/"): self._overview,
            ("GET", "/conversation"): self._conversation,
            ("GET", "/report.css"): self._style,
            ("POST", "/sql"): self._sql,
            ("GET", "/healthz"): self._health,
            ("GET", "/readyz"): self._readiness,
            ("GET", "/metrics"): self._metrics,
        }
        for name in LISTINGS:
            self._handlers["GET", f"/list/{name}"] = self._listing
            self._handlers["GET", f"/csv/{name}"] = self._csv

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """The response to one request."""
        path = path_from_octets(request.rel_url.raw_path.encode())
        refusal = self._refusal(request, path.token, path.path.decode("latin-1"))
        response = refusal or await self._handled(request, path.path.decode("latin-1"))
        response.headers.update(_SAFETY)
        return response

    def _refusal(
        self, request: web.BaseRequest, token: bytes | None, path: str
    ) -> web.Response | None:
        if path in OPEN_PATHS:
            return None
        host = _header(request, "Host")
        refused = (
            (BAD_HOST if host and host_name_of(host) is None else None)
            or refuse_page(
                host=host,
                origin=_header(request, "Origin"),
                fetch_site=_header(request, "Sec-Fetch-Site"),
            )
            or self._access.refuse(
                peer=request.remote or "",
                forwarded_for=_header(request, "X-Forwarded-For"),
                other_signs=_header(request, *OTHER_SIGNS),
                token=token,
                authorization=_header(request, "Authorization"),
                host=host,
            )
        )
        if refused is None:
            return None
        return _words(refused.status, refused.words, **dict(refused.headers))

    async def _handled(self, request: web.BaseRequest, path: str) -> web.Response:
        method = "GET" if request.method == "HEAD" else request.method
        handler = self._handlers.get((method, path))
        if handler is None:
            methods = [m for (m, known) in self._handlers if known == path]
            if methods:
                return _words(405, f"{path} takes {methods[0]}", Allow=", ".join(methods))
            return _words(404, "there is nothing here")
        try:
            return await handler(request)
        except (Refused, BadStatement, BadFilter) as error:
            return _words(400, str(error))
        except ClickHouseError as error:
            log.warning("%s: ClickHouse: %s", path, words_for_log(error))
            return _words(503, f"ClickHouse: {words_of_error(error)}")

    async def _overview(self, request: web.BaseRequest) -> web.Response:
        page = await self._pages.overview(await self._pages.filters(request.query))
        return web.Response(text=page, content_type=_HTML)

    async def _conversation(self, request: web.BaseRequest) -> web.Response:
        page = await self._pages.conversation(await self._pages.filters(request.query))
        return web.Response(text=page, content_type=_HTML)

    async def _listing(self, request: web.BaseRequest) -> web.Response:
        listing = LISTINGS[request.path.rpartition("/")[2]]
        page = await self._pages.listing(listing, await self._pages.filters(request.query))
        return web.Response(text=page, content_type=_HTML)

    async def _csv(self, request: web.BaseRequest) -> web.Response:
        name = request.path.rpartition("/")[2]
        body = await self._pages.csv(LISTINGS[name], await self._pages.filters(request.query))
        disposition = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
        return web.Response(
            body=body, content_type="text/csv", charset="utf-8", headers=disposition
        )

    async def _style(self, _: web.BaseRequest) -> web.Response:
        return web.Response(body=STYLE, content_type="text/css", charset="utf-8")

    async def _sql(self, request: web.BaseRequest) -> web.Response:
        body = await self._body(request)
        if body is None:
            return _words(413, f"a statement is at most {self._body_limit} octets")
        question = question_from_octets(body, request.content_type)
        try:
            lines = await self._questions.json_lines(question.query, question.parameters)
        except (Refused, BadStatement) as error:
            metrics.SQL.labels(type(error).__name__.lower()).inc()
            raise
        metrics.SQL.labels("answered").inc()
        return web.Response(body=lines, content_type="application/x-ndjson", charset="utf-8")

    async def _body(self, request: web.BaseRequest) -> bytes | None:
        body = b""
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > self._body_limit:
                return None
        return body

    async def _health(self, _: web.BaseRequest) -> web.Response:
        return _words(200, "ok")

    async def _readiness(self, _: web.BaseRequest) -> web.Response:
        if self._is_ready():
            return _words(200, "ready")
        return _words(503, self._waits_for() or "not ready")

    async def _metrics(self, _: web.BaseRequest) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _header(request: web.BaseRequest, *names: str) -> bytes:
    """Every value of the headers of those names, as one list (RFC 9110 5.3)."""
    values = [value for name in names for value in request.headers.getall(name, ())]
    return ",".join(values).encode("latin-1", "replace")


def _words(status: int, text: str, **headers: str) -> web.Response:
    return web.Response(status=status, text=f"{text}\n", headers=headers)
