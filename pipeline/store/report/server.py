"""The report over HTTP: who asks, for what, and what becomes of an error.

The report shows personal data. So it listens on loopback only, or requires credentials. Each
request passes here in one order: who calls, which route, what it needs, whose form, which
parameters.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from aiohttp import web
from clickhouse_connect.driver.exceptions import ClickHouseError
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from pipeline.process.log_guard import words_for_log
from pipeline.process.peer_words import words_of_error
from pipeline.store import metrics
from pipeline.store.query.questions import BadStatement
from pipeline.store.query.statement_text import Refused
from pipeline.store.report.caller import Caller, Guard, Right
from pipeline.store.report.lists.filters import BadFilter
from pipeline.store.report.pages.decisions import NotDecided
from pipeline.store.report.pages.pages import NotThere
from pipeline.store.report.pages.rendering import STATIC
from pipeline.store.report.route import PageRequest, ReportRoute
from pipeline.store.report.sql_body import question_from_octets
from pipeline.web.access import path_from_octets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pipeline.settings import Settings
    from pipeline.store.query.questions import Questions
    from pipeline.store.report.live.hub import LiveHub
    from pipeline.store.report.pages.pages import Pages
    from pipeline.store.report.warn.watch import Warnings

log = logging.getLogger(__name__)

OPEN_PATHS: Final = frozenset({"/healthz", "/readyz"})
SAFETY_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with no-referrer a form says `Origin: null` (Fetch 3.2)
    "Cache-Control": "no-store",
}
_HTML: Final = "text/html"
_FORM_OCTETS: Final = 16 << 10
_MOST_FIELDS: Final = 16


class Report:
    """Answers the requests of the report."""

    def __init__(
        self,
        *,
        settings: Settings,
        guard: Guard,
        routes: Iterable[ReportRoute],
        pages: Pages,
        questions: Questions,
        warnings: Warnings,
        hub: LiveHub,
        is_ready: Callable[[], bool],
        waits_for: Callable[[], str] = str,
    ) -> None:
        self._warnings = warnings
        self._hub = hub
        self._guard = guard
        self._pages = pages
        self._questions = questions
        self._is_ready = is_ready
        self._waits_for = waits_for
        self._body_limit = settings.body_limit_bytes
        own = (
            ReportRoute(
                method="POST", path="/sql", answer=self._sql,
                needs=frozenset({Right.SQL, Right.NUMBERS, Right.TEXTS}),
            ),
            ReportRoute(method="GET", path="/healthz", answer=self._health),
            ReportRoute(method="GET", path="/readyz", answer=self._readiness),
            ReportRoute(method="GET", path="/metrics", answer=self._metrics),
            *(ReportRoute(method="GET", path=f"/{name}", answer=_static) for name in STATIC),
        )  # fmt: skip
        self._routes = {(route.method, route.path): route for route in (*own, *routes)}

    async def look_for_warnings(self) -> None:
        """Look for warnings, until cancelled."""
        await self._warnings.look_on()

    def end_streams(self) -> None:
        """End what would go on for as long as a page is open."""
        self._hub.hush()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """The response to one request."""
        secret = path_from_octets(request.rel_url.raw_path.encode())
        path = secret.path.decode("latin-1")
        caller: Caller | None = None
        if path not in OPEN_PATHS:
            found = self._guard.caller_of(request, token=secret.token)
            if not isinstance(found, Caller):
                refusal = _words(found.status, found.words, **dict(found.headers))
                refusal.headers.update(SAFETY_HEADERS)
                return refusal
            caller = found
        asked = PageRequest(
            request=request,
            caller=caller or Caller(name="", rights=frozenset()),
            query={},
            root="../" * (path.count("/") - 1),
        )
        response = await self._routed(request, asked, path)
        if not response.prepared:
            response.headers.update(SAFETY_HEADERS)
        return response

    async def _routed(
        self, request: web.BaseRequest, asked: PageRequest, path: str
    ) -> web.StreamResponse:
        method = "GET" if request.method == "HEAD" else request.method
        route = self._routes.get((method, path))
        if route is None:
            methods = [m for (m, known) in self._routes if known == path]
            if methods:
                return _words(405, f"{path} takes {methods[0]}", Allow=", ".join(methods))
            return self._not_done(asked, 404, "there is nothing here")
        if missing := route.needs - asked.caller.rights:
            words = f"this needs the right to {', '.join(sorted(missing))}"
            return self._not_done(asked, 403, words)
        try:
            fields = await self._fields(request, asked.caller) if route.has_form else {}
            return await route.answer(
                PageRequest(
                    request=request,
                    caller=asked.caller,
                    query=route.query_of(request),
                    fields=fields,
                    root=asked.root,
                )
            )
        except (Refused, BadStatement, BadFilter) as error:
            return self._not_done(asked, 400, str(error))
        except NotThere as error:
            return self._not_done(asked, 404, str(error))
        except NotDecided as error:
            return self._not_done(asked, 409, str(error))
        except ClickHouseError as error:
            log.warning("%s: ClickHouse: %s", path, words_for_log(error))
            return self._not_done(asked, 503, f"ClickHouse: {words_of_error(error)}")

    def _not_done(self, asked: PageRequest, status: int, words: str) -> web.Response:
        """A page for who reads pages, else a line of text."""
        if _HTML not in asked.request.headers.get("Accept", ""):
            return _words(status, words)
        page = self._pages.refusal(asked, status, words)
        return web.Response(status=status, text=page, content_type=_HTML)

    async def _fields(self, request: web.BaseRequest, caller: Caller) -> dict[str, str]:
        """The fields of a form of ours; raises `BadFilter` for any other."""
        body = await _body_within(request, _FORM_OCTETS)
        if body is None or request.content_type != "application/x-www-form-urlencoded":
            raise BadFilter("this is no form of this page")
        try:
            pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
        except ValueError as error:
            raise BadFilter("the form cannot be read") from error
        fields = {name: value.strip() for name, value in pairs}
        if not self._guard.is_own_form(caller, fields.pop("form_token", "")):
            raise BadFilter("the form is not of this page, or older than the store: reload it")
        return fields

    async def _sql(self, asked: PageRequest) -> web.StreamResponse:
        request = asked.request
        body = await _body_within(request, self._body_limit)
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

    async def _health(self, _: PageRequest) -> web.StreamResponse:
        return _words(200, "ok")

    async def _readiness(self, _: PageRequest) -> web.StreamResponse:
        if self._is_ready():
            return _words(200, "ready")
        return _words(503, self._waits_for() or "not ready")

    async def _metrics(self, _: PageRequest) -> web.StreamResponse:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _static(asked: PageRequest) -> web.StreamResponse:
    kind, octets = STATIC[asked.request.path.rpartition("/")[2]]
    return web.Response(body=octets, content_type=kind, charset="utf-8")


async def _body_within(request: web.BaseRequest, octets: int) -> bytes | None:
    """The body; None where it is longer."""
    body = b""
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > octets:
            return None
    return body


def _words(status: int, text: str, **headers: str) -> web.Response:
    return web.Response(status=status, text=f"{text}\n", headers=headers)
