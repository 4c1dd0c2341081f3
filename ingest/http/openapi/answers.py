"""The answers that several paths give, and how one is described."""

from __future__ import annotations

from typing import Any, Final

JsonObject = dict[str, Any]


def text_answer(description: str) -> JsonObject:
    """An answer of plain text."""
    return {
        "description": description,
        "content": {"text/plain": {"schema": {"type": "string"}}},
    }


def json_answer(description: str, schema: JsonObject) -> JsonObject:
    """An answer in JSON."""
    return {"description": description, "content": {"application/json": {"schema": schema}}}


_RETRY: Final[JsonObject] = {
    "headers": {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
}
GUARDED: Final[JsonObject] = {
    "401": text_answer("A user and password are needed (Basic auth is configured)."),
    "403": text_answer("This address or token may not call."),
}
COMMON: Final[JsonObject] = {
    "405": text_answer("Not by this method; Allow says by which."),
    "408": text_answer("The request took too long to arrive."),
    "431": text_answer("The headers are too long."),
    "503": text_answer("Not now: too much at once, or Kafka does not answer.") | _RETRY,
}
SIZED: Final[JsonObject] = {
    "413": text_answer("The body is longer than body_limit_bytes (64 KiB)."),
    "414": text_answer("The target is longer than body_limit_bytes (64 KiB)."),
    "415": text_answer("A Content-Encoding, or a type this path does not take."),
    "501": text_answer("A Transfer-Encoding other than chunked."),
}


def read_path(summary: str, responses: JsonObject) -> JsonObject:
    """A path that is only read: GET, and HEAD for the same without its body."""
    return {
        "get": {"summary": summary, "responses": responses},
        "head": {"summary": "The same without its body.", "responses": responses},
    }
