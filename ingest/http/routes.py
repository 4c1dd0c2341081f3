"""The routes: which handler answers which path and method, and who may call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from ingest.http.about import about, say_about
from ingest.http.answers import BUSY, NOT_FOUND, TAKEN, Answer, problem, unavailable, value
from ingest.http.callbacks import PATHS, Callbacks
from ingest.http.mt.requests import REQUEST_ID
from ingest.http.openapi.document import DOCUMENT
from ingest.http.request import Request, Target, request_from, target_from_octets
from pipeline.web.access import OTHER_SIGNS
from pipeline.web.browser_guard import refuse_page

if TYPE_CHECKING:
    from ingest.http.access_log import AccessLog
    from ingest.http.http1.head import Head
    from ingest.http.metrics import Metrics
    from ingest.http.mt.requests import MtRequests
    from ingest.http.mt.status import StatusIndex
    from ingest.http.mt.tail import Tail
    from ingest.publish.publisher import Publisher
    from pipeline.web.access import Access
    from pipeline.web.browser_guard import BrowserRefusal

Answering = Callable[[Request], Awaitable[Answer]]
EXPOSITION: Final = "text/plain; version=0.0.4; charset=utf-8"
READ: Final = ("GET", "HEAD")
UNLOGGED: Final = ("/healthz", "/readyz", "/metrics")  # called every second; counted, not logged
SIGNS_OF_A_PROXY: Final = frozenset(name.lower().encode() for name in OTHER_SIGNS)
DESCRIPTION: Final = value(200, DOCUMENT)  # written once: anybody may ask for it
STATUS_PATH: Final = b"/mt/"
REASONS: Final = {
    400: "not-a-request",
    401: "credentials",
    403: "access",
    404: "path",
    405: "method",
    408: "time",
    409: "id-reused",
    413: "size",
    414: "size",
    415: "content-type",
    431: "size",
    501: "transfer-coding",
    503: "not-acknowledged",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One path. `template` is its name in the log, in metrics and in the description."""

    template: str
    methods: tuple[str, ...]
    answering: Answering = field(repr=False)
    is_open: bool = False
    is_way: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose head was accepted; its body is still to come."""

    route: Route
    target: Target
    head: Head

    @property
    def keeps_cut_bodies(self) -> bool:
        """Whether to keep the beginning of a body over the limit, because it may be a message."""
        return self.route.is_way


class Service:
    """Answers requests; it knows nothing about sockets."""

    def __init__(
        self,
        *,
        access: Access,
        callbacks: Callbacks,
        requests: MtRequests,
        index: StatusIndex,
        tail: Tail,
        publisher: Publisher,
        metrics: Metrics,
        access_log: AccessLog,
        on_failure: Callable[[Exception], None],
    ) -> None:
        self._access = access
        self._callbacks = callbacks
        self._index = index
        self._tail = tail
        self._publisher = publisher
        self._metrics = metrics
        self._access_log = access_log
        self._on_failure = on_failure
        self._status_route = Route(
            template="/mt/{request_id}", methods=READ, answering=self._status
        )
        routes = [
            *(self._way_route(path) for path in PATHS),
            Route(template="/mt", methods=("POST",), answering=requests.take),
            Route(template="/healthz", methods=READ, answering=_alive, is_open=True),
            Route(template="/readyz", methods=READ, answering=self._ready, is_open=True),
            Route(template="/openapi.json", methods=READ, answering=_description, is_open=True),
            Route(template="/metrics", methods=READ, answering=self._exposition),
        ]
        self._routes = {route.template.encode(): route for route in routes}

    @property
    def routes(self) -> list[Route]:
        """Every route."""
        return [*self._routes.values(), self._status_route]

    def _way_route(self, path: bytes) -> Route:
        return Route(
            template=path.decode(),
            methods=("GET", "POST", "HEAD"),
            answering=partial(self._callbacks.take, way=PATHS[path]),
            is_way=True,
        )

    def receive_head(self, head: Head, peer: str) -> Answer | Call:
        """A refusal, before any octet of the body is read; or what is to be answered."""
        target = target_from_octets(head.target)
        route = self._routes.get(target.path)
        if route is None and target.path.startswith(STATUS_PATH):
            route = self._status_route
        if route is None or not route.is_open:
            refused = self._refusal(head, target, peer)
            if refused is not None:
                return problem(refused.status, refused.words, *refused.headers)
        if route is None:
            return NOT_FOUND
        if head.method not in route.methods:
            return problem(405, "not by this method", ("Allow", ", ".join(route.methods)))
        return Call(route, target, head)

    def _refusal(self, head: Head, target: Target, peer: str) -> BrowserRefusal | None:
        host = head.header(b"host")
        page = refuse_page(
            host=host,
            origin=head.header(b"origin"),
            fetch_site=head.header(b"sec-fetch-site"),
        )
        return page or self._access.refuse(
            peer=peer,
            forwarded_for=head.all_of(b"x-forwarded-for"),
            other_signs=head.any_of(SIGNS_OF_A_PROXY),
            token=target.token,
            authorization=head.header(b"authorization"),
            host=host,
        )

    def answer(self, call: Call, body: bytes, *, is_cut: bool) -> Awaitable[Answer]:
        """The answer to a request whose body is complete, or cut at the limit."""
        return call.route.answering(request_from(call.head, call.target, body, is_cut=is_cut))

    def answered(
        self, call: Call | None, head: Head | None, answer: Answer, seconds: float
    ) -> None:
        """Count and log an answer."""
        way = call.route.template if call else "none"
        self._metrics.count(way, answer.status, seconds)
        if answer.status >= 400:
            self._metrics.refused.labels(
                "busy" if answer is BUSY else REASONS.get(answer.status, "other")
            ).inc()
        if call and call.route.is_way:
            self._metrics.note_kafka(taken=answer is TAKEN, refused=answer.status == 503)
        if call and call.route.template in UNLOGGED:
            return
        self._access_log.add(
            method=head.method if head and call else "-",
            path=way,
            status=answer.status,
            seconds=seconds,
            about=about(),
        )

    def failed(self, error: Exception) -> None:
        """Count and log a defect of ours."""
        self._metrics.failures.inc()
        self._on_failure(error)

    async def _ready(self, _: Request) -> Answer:
        if self._publisher.is_reachable:
            return value(200, {"ready": True})
        return unavailable("Kafka does not answer")

    async def _exposition(self, _: Request) -> Answer:
        return Answer(200, self._metrics.exposition(), EXPOSITION)

    async def _status(self, request: Request) -> Answer:
        request_id = unquote(request.path.removeprefix(STATUS_PATH).decode("latin-1"))
        if not REQUEST_ID.fullmatch(request_id):
            return NOT_FOUND
        say_about(request_id)
        status = self._index.status_of(request_id)
        if status is not None:
            return value(200, status)
        if not self._tail.is_caught_up:
            return unavailable("the requests of the last 24 hours are still being read")
        return problem(404, "no request of the last 24 hours has this id")


async def _alive(_: Request) -> Answer:
    return value(200, {"alive": True})


async def _description(_: Request) -> Answer:
    return DESCRIPTION
