"""`POST /mt`: an application requests an MT."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec

from ingest.http.about import say_about
from ingest.http.answers import NOT_ACKNOWLEDGED, Answer, problem, value
from pipeline.avro.single_object import encode
from pipeline.identity import request_digest
from pipeline.kafka.topics import MT_REQUEST
from pipeline.process import tracing
from pipeline.records import MtRequest
from pipeline.sms.msisdn import address_from_text, key_from_handset

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingest.http.mt.status import StatusIndex
    from ingest.http.request import Request
    from ingest.publish.publisher import Publisher

REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:~-]{1,128}")
REQUEST_ID_WORDS: Final = "1 to 128 of A-Z a-z 0-9 . _ : ~ -"


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a request for an MT."""

    to: str
    text: str
    sender_id: str | None = msgspec.field(name="from", default=None)
    keyword: str | None = None
    api_id: str | None = None
    confirms_opt_out: bool = False
    not_after: datetime | None = None


_decoder: Final = msgspec.json.Decoder(Asked)


class RequestRefused(ValueError):
    """The request is malformed; the words name the field, never its value."""


def asked_from_json(octets: bytes) -> Asked:
    """The body, checked without the directory and consent, which the gate checks later.

    Raises `RequestRefused`.
    """
    try:
        asked = _decoder.decode(octets)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestRefused(f"the body is not a request: {error}") from error
    if not asked.to.strip():
        raise RequestRefused("the body is not a request: to is empty")
    if asked.not_after is None:
        return asked
    if asked.not_after.tzinfo is None:
        raise RequestRefused(
            "the body is not a request: not_after has no zone, such as Z or +02:00"
        )
    try:
        return msgspec.structs.replace(asked, not_after=asked.not_after.astimezone(UTC))
    except OverflowError as error:
        raise RequestRefused(
            "the body is not a request: not_after is beyond the calendar"
        ) from error


def request_id_from_header(given: bytes) -> str:
    """The application's id, or a new id if it gave none; raises `RequestRefused`.

    Quotes around the id are removed: an early draft of the header required them.
    """
    text = given.decode("latin-1")
    if len(text) > 1 and text.startswith('"') and text.endswith('"'):
        text = text[1:-1]
    if not given:
        return secrets.token_hex(16)
    if not REQUEST_ID.fullmatch(text):
        raise RequestRefused(f"Idempotency-Key must be {REQUEST_ID_WORDS}")
    return text


def _trace_of(request: Request) -> tracing.Headers:
    """The application's own trace, which the request goes on with."""
    if tracing.tracer() is None:
        return []
    names = (tracing.TRACEPARENT, tracing.TRACESTATE)
    return tracing.trace_headers_of((name, request.head.header(name.encode())) for name in names)


class MtRequests:
    """Publishes MT requests, which the gate decides later."""

    def __init__(
        self, *, publisher: Publisher, index: StatusIndex, now: Callable[[], datetime]
    ) -> None:
        self._publisher = publisher
        self._index = index
        self._now = now
        self._under_way: dict[str, bytes] = {}

    async def take(self, request: Request) -> Answer:
        """Publish a request. 202: Kafka has it, from now or before. 409: the id is in other use."""
        if request.encoding:
            return problem(415, "a Content-Encoding is not taken: send the body as it is")
        try:
            asked = asked_from_json(request.body)
            request_id = request_id_from_header(request.head.header(b"idempotency-key"))
        except RequestRefused as refusal:
            return problem(400, str(refusal))
        say_about(request_id)
        record = MtRequest(
            request_id=request_id,
            to=asked.to,
            text=asked.text,
            sender_id=asked.sender_id,
            keyword=asked.keyword,
            api_id=asked.api_id,
            confirms_opt_out=asked.confirms_opt_out,
            requested_at=self._now(),
            not_after=asked.not_after,
        )
        with tracing.carrying(_trace_of(request)):
            return await self._publish(record)

    async def _publish(self, record: MtRequest) -> Answer:
        digest = request_digest(record)
        known = self._index.digest_of(record.request_id)
        if (known or self._under_way.get(record.request_id, digest)) != digest:
            return problem(409, "this Idempotency-Key was used for another request")
        if known is None:
            octets = encode(record)
            key = key_from_handset(address_from_text(record.to))
            self._under_way[record.request_id] = digest
            try:
                acknowledged = await self._publisher.publish(MT_REQUEST, key=key, value=octets)
            finally:
                self._under_way.pop(record.request_id, None)
            if not acknowledged:
                return NOT_ACKNOWLEDGED
            self._index.enter(record, octets)
        location = ("Location", f"/mt/{record.request_id}")
        return value(202, {"request_id": record.request_id}, location)
