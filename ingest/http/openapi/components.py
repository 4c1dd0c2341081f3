"""The components that several paths share: answers, problem details, and descriptions."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from ingest.http.answers import PROBLEM, RETRY_AFTER_SECONDS

JsonObject = dict[str, Any]


def reference(kind: str, name: str) -> JsonObject:
    """A reference to a component of this document."""
    return {"$ref": f"#/components/{kind}/{name}"}


def text_answer(description: str, example: str) -> JsonObject:
    """An answer of plain text."""
    content = {"schema": {"type": "string"}, "example": example}
    return {"description": description, "content": {"text/plain": content}}


def json_answer(description: str, schema: JsonObject, examples: JsonObject) -> JsonObject:
    """An answer in JSON; `examples` by their names."""
    shown = {name: {"value": value} for name, value in examples.items()}
    content = {"schema": schema, "examples": shown}
    return {"description": description, "content": {"application/json": content}}


def _problem(status: int, description: str, detail: str, **headers: JsonObject) -> JsonObject:
    example = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    content = {"schema": reference("schemas", "Problem"), "example": example}
    named = {name.replace("_", "-"): header for name, header in headers.items()}
    return {
        "description": description,
        **({"headers": named} if named else {}),
        "content": {PROBLEM: content},
    }


_SECONDS: Final = {
    "schema": {"type": "integer"},
    "description": "Seconds.",
    "example": RETRY_AFTER_SECONDS,
}
_METHODS: Final = {
    "schema": {"type": "string"},
    "description": "The methods of this path.",
    "example": "GET, POST, HEAD",
}
_CHALLENGE: Final = {
    "schema": {"type": "string"},
    "description": "Where a password is asked for.",
    "example": 'Basic realm="twoway"',
}
PROBLEM_SCHEMA: Final[JsonObject] = {
    "type": "object",
    "description": "Problem details (RFC 9457). The type is about:blank, which is left out.",
    "required": ["title", "status", "detail"],
    "properties": {
        "title": {"type": "string", "description": "The phrase of the status."},
        "status": {"type": "integer", "description": "The status, again."},
        "detail": {"type": "string", "description": "What is wrong, in one line; no secrets."},
    },
}
RESPONSES: Final[JsonObject] = {
    "CallbackRefused": _problem(
        400,
        "`from` or `to` is absent or empty, the percent-encoding is broken, or the XML is not"
        " XML; the request is kept in the dead letter. A status lacks only `to`, and only where"
        " no command is known by its ids. Also: what is not HTTP.",
        "from is absent",
    ),
    "RequestRefused": _problem(
        400,
        "Not JSON, or a field is wrong or unknown; the words say which. Also: what is not HTTP.",
        "the body is not a request: to is empty",
    ),
    "NotHttp": _problem(400, "What is not HTTP.", "the first line is no request"),
    "NoCredentials": _problem(
        401,
        "A user and password are needed (Basic auth is configured).",
        "a user and password are needed",
        WWW_Authenticate=_CHALLENGE,
    ),
    "NotAllowed": _problem(
        403,
        "This address or token may not call, or a page of another site does.",
        "this address may not call",
    ),
    "NotKnown": _problem(
        404,
        "No request of the last 24 hours has this id.",
        "no request of the last 24 hours has this id",
    ),
    "WrongMethod": _problem(
        405, "Not by this method; Allow says by which.", "not by this method", Allow=_METHODS
    ),
    "TooSlow": _problem(408, "The request took too long to arrive.", "the body took too long"),
    "IdReused": _problem(
        409,
        "The Idempotency-Key was used for another request.",
        "this Idempotency-Key was used for another request",
    ),
    "BodyTooLong": _problem(
        413,
        "The body is longer than body_limit_bytes (64 KiB). Of a callback, its beginning is kept"
        " in the dead letter; XML that is cut is not XML (400).",
        "the body is too long: its first 65536 octets are kept",
    ),
    "TargetTooLong": _problem(
        414, "The target is longer than body_limit_bytes (64 KiB).", "the target is too long"
    ),
    "WrongType": _problem(
        415,
        "A Content-Encoding, or a type this path does not take.",
        "a Content-Encoding is not taken: send the body as it is",
    ),
    "HeadersTooLong": _problem(431, "The headers are too long.", "the headers are too long"),
    "NotImplemented": _problem(
        501,
        "A Transfer-Encoding other than chunked.",
        "a Transfer-Encoding other than chunked is not taken",
    ),
    "NotNow": _problem(
        503,
        "Not now: too much at once, or Kafka does not answer. Nothing was taken: send it again.",
        "Kafka has not acknowledged it: send it again",
        Retry_After=_SECONDS,
    ),
}


def _responses(**names: str) -> JsonObject:
    return {each.removeprefix("_"): reference("responses", name) for each, name in names.items()}


GUARDED: Final = _responses(_401="NoCredentials", _403="NotAllowed")
COMMON: Final = _responses(_405="WrongMethod", _408="TooSlow", _431="HeadersTooLong", _503="NotNow")
SIZED: Final = _responses(
    _413="BodyTooLong", _414="TargetTooLong", _415="WrongType", _501="NotImplemented"
)
CALLBACK_REFUSED: Final = _responses(_400="CallbackRefused")
MT_REFUSED: Final = _responses(_400="RequestRefused", _409="IdReused")
NO_SUCH_REQUEST: Final = _responses(_404="NotKnown")
NOT_HTTP: Final = _responses(_400="NotHttp")


def read_path(name: str, summary: str, tag: str, responses: JsonObject) -> JsonObject:
    """A path that is only read: GET, and HEAD for the same without its body."""
    both: JsonObject = {"tags": [tag], "responses": responses}
    return {
        "get": {"operationId": f"get{name}", "summary": summary, **both},
        "head": {"operationId": f"head{name}", "summary": "The same without its body.", **both},
    }
