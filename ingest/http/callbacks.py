"""Callbacks of the gateway: judged, published, acknowledged, only then answered 200."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol

from ingest.common.refused import letter_from_refused
from ingest.http.answers import NOT_ACKNOWLEDGED, NOTHING_TO_TAKE, TAKEN, Answer, words
from pipeline.avro.single_object import encode
from pipeline.kafka.topics import DEAD_LETTER, MO_RAW
from pipeline.records import Header, MoRaw, Reason, Rejected, Source
from pipeline.sms.msisdn import address_from_text, key_from_handset
from pipeline.wire import http_form, soap, xml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from ingest.http.metrics import Metrics
    from ingest.http.request import Request
    from ingest.publish.publisher import Publisher
    from pipeline.wire.callback import MoCallback


class Parser(Protocol):
    """Reads a callback; None when the request has no parameter of one."""

    def __call__(
        self, *, query: bytes, body: bytes, content_type: str
    ) -> MoCallback | Rejected | None: ...


@dataclass(frozen=True, slots=True)
class CallbackPath:
    """One way in over HTTP."""

    source: Source
    parse: Parser
    too_long: int
    """The status for a body beyond the limit: what is cut is no XML, but an honest form is 413."""


WAYS: Final[Mapping[bytes, CallbackPath]] = MappingProxyType(
    {
        b"/mo/http": CallbackPath(Source.HTTP, http_form.parse, too_long=413),
        b"/mo/xml": CallbackPath(Source.XML, xml.parse, too_long=400),
        b"/mo/soap": CallbackPath(Source.SOAP, soap.parse, too_long=400),
    }
)


class Callbacks:
    """Takes what the gateway delivers."""

    def __init__(
        self, *, publisher: Publisher, now: Callable[[], datetime], metrics: Metrics
    ) -> None:
        self._publisher = publisher
        self._now = now
        self._metrics = metrics

    async def take(self, request: Request, way: CallbackPath) -> Answer:
        """200 once Kafka has it; 400 or 413 once the dead letter has it; 503 when neither."""
        if request.encoding:
            return words(415, "a Content-Encoding is not taken: send the body as it is")
        if request.is_cut:
            limit = f"the body is too long: its first {len(request.body)} octets are kept"
            rejected = Rejected(Reason.TOO_LONG, limit)
            return await self._keep_refused(request, way, rejected, status=way.too_long)
        callback = way.parse(
            query=request.query, body=request.body, content_type=request.content_type
        )
        if callback is None:
            return NOTHING_TO_TAKE
        if request.method == "HEAD":  # a question, not a delivery (RFC 9110 9.3.2)
            return words(405, "HEAD delivers nothing", ("Allow", "GET, POST"))
        if isinstance(callback, Rejected):
            return await self._keep_refused(request, way, callback)
        raw = MoRaw(
            source=way.source,
            received_at=self._now(),
            method=request.method,
            content_type=request.content_type,
            query=request.query,
            octets=request.body,
        )
        key = key_from_handset(address_from_text(callback.handset))
        acknowledged = await self._publisher.publish(MO_RAW, key=key, value=encode(raw))
        return TAKEN if acknowledged else NOT_ACKNOWLEDGED

    async def _keep_refused(
        self, request: Request, way: CallbackPath, rejected: Rejected, *, status: int = 400
    ) -> Answer:
        letter = letter_from_refused(
            rejected,
            octets=request.body,
            source=way.source,
            at=self._now(),
            headers=[
                Header(name="method", value=request.method.encode()),
                Header(name="query", value=request.query),
                Header(name="content-type", value=request.content_type.encode()),
            ],
        )
        if not await self._publisher.publish(DEAD_LETTER, key=None, value=encode(letter)):
            return NOT_ACKNOWLEDGED
        self._metrics.dead_letters.labels(way.source, rejected.reason).inc()
        return words(status, rejected.words)
