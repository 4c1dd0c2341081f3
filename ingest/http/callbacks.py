"""Callbacks of the gateway: checked, published, and answered 200 once Kafka has acknowledged."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol

from ingest.common.refused import letter_from_refused
from ingest.http.about import say_about
from ingest.http.answers import (
    NOT_ACKNOWLEDGED,
    NOTHING_TO_TAKE,
    TAKEN,
    Answer,
    problem,
    unavailable,
)
from pipeline.avro.single_object import encode
from pipeline.kafka.topics import DEAD_LETTER, MO_RAW
from pipeline.records import Header, MoRaw, Reason, Rejected, Source
from pipeline.sms.msisdn import address_from_text, key_from_handset
from pipeline.wire import http_form, soap, xml
from pipeline.wire.status import StatusReport
from pipeline.wire.status import http as status_http
from pipeline.wire.status import soap as status_soap
from pipeline.wire.status import xml as status_xml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from ingest.http.metrics import Metrics
    from ingest.http.mt.fates import Fates
    from ingest.http.request import Request
    from ingest.publish.publisher import Publisher
    from pipeline.wire.callback import MoCallback


class Parser(Protocol):
    """Reads a callback; None if the request has no parameter of a callback."""

    def __call__(
        self, *, query: bytes, body: bytes, content_type: str
    ) -> MoCallback | StatusReport | Rejected | None: ...


@dataclass(frozen=True, slots=True)
class CallbackPath:
    """One path that the gateway calls, with MOs or with statuses of MTs."""

    source: Source
    parse: Parser
    too_long: int
    """The status for a body over the limit: 413 for a form, 400 for XML, which is broken if cut."""


PATHS: Final[Mapping[bytes, CallbackPath]] = MappingProxyType(
    {
        b"/mo/http": CallbackPath(Source.HTTP, http_form.parse, too_long=413),
        b"/mo/xml": CallbackPath(Source.XML, xml.parse, too_long=400),
        b"/mo/soap": CallbackPath(Source.SOAP, soap.parse, too_long=400),
        b"/status/http": CallbackPath(Source.STATUS_HTTP, status_http.parse, too_long=413),
        b"/status/xml": CallbackPath(Source.STATUS_XML, status_xml.parse, too_long=400),
        b"/status/soap": CallbackPath(Source.STATUS_SOAP, status_soap.parse, too_long=400),
    }
)


NOT_YET: Final = unavailable("the commands of the last 24 hours are still being read")
UNKNOWN_HANDSET: Final = Rejected(
    Reason.MISSING_TO, "to is absent, and no command of the last 24 hours has this id"
)


class Callbacks:
    """Takes the gateway's callbacks."""

    def __init__(
        self,
        *,
        publisher: Publisher,
        now: Callable[[], datetime],
        metrics: Metrics,
        fates: Fates,
        knows_all: Callable[[], bool],
    ) -> None:
        """`knows_all` says whether `fates` has the commands of the last 24 hours."""
        self._publisher = publisher
        self._fates = fates
        self._knows_all = knows_all
        self._now = now
        self._metrics = metrics

    async def take(self, request: Request, way: CallbackPath) -> Answer:
        """Answer 200 once Kafka has the record, 400 or 413 once it has a dead letter, else 503."""
        if request.encoding:
            return problem(415, "a Content-Encoding is not taken: send the body as it is")
        if request.is_cut:
            limit = f"the body is too long: its first {len(request.body)} octets are kept"
            rejected = Rejected(Reason.TOO_LONG, limit)
            return await self._keep_refused(request, way, rejected, status=way.too_long)
        callback = way.parse(
            query=request.query, body=request.body, content_type=request.content_type
        )
        if callback is None:
            return NOTHING_TO_TAKE
        if request.method == "HEAD":  # HEAD must not deliver (RFC 9110 9.3.2)
            return problem(405, "HEAD delivers nothing", ("Allow", "GET, POST"))
        if isinstance(callback, Rejected):
            return await self._keep_refused(request, way, callback)
        say_about(_id_of(callback))
        handset = address_from_text(callback.handset) or self._handset_of(callback)
        if not handset:
            if not self._knows_all():
                return NOT_YET
            return await self._keep_refused(request, way, UNKNOWN_HANDSET)
        raw = MoRaw(
            source=way.source,
            received_at=self._now(),
            method=request.method,
            content_type=request.content_type,
            query=request.query,
            octets=request.body,
        )
        key = key_from_handset(handset)
        acknowledged = await self._publisher.publish(MO_RAW, key=key, value=encode(raw))
        return TAKEN if acknowledged else NOT_ACKNOWLEDGED

    def _handset_of(self, callback: MoCallback | StatusReport) -> str:
        """The handset of a callback; of a status without one, the handset of its command."""
        if not isinstance(callback, StatusReport):
            return ""
        return self._fates.handset_of(
            command_id=callback.command_id, gateway_message_id=callback.gateway_message_id
        )

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
        return problem(status, rejected.words)


def _id_of(callback: MoCallback | StatusReport) -> str:
    """The id by which the gateway, or we, name the message."""
    if isinstance(callback, StatusReport):
        return callback.command_id or callback.gateway_message_id
    return callback.mo_msg_id
