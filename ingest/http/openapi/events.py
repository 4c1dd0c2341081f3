"""Describes the events that `twoway deliver` posts to an application.

The schemas are those of the records in `schemas/`; the examples are the examples of these schemas.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from pipeline.avro.single_object import SCHEMAS, versions_of

if TYPE_CHECKING:
    from ingest.http.openapi.components import JsonObject

#: By the type of event: the record in its `data`, the occasion, and the name of an example.
EVENTS: Final = {
    "message.received": ("mo_message", "A message came in.", "three-parts-arabic-with-an-emoji"),
    "part.received": ("mo_part", "A part came in, where the path wants parts.", ""),
    "consent.changed": ("consent_change", "A handset was stopped or opened.", "stop-word"),
    "mt.result": ("mt_state", "What became of an MT.", ""),
    "mt.rejected": ("mt_rejection", "A request became no command.", ""),
}
_TIME: Final[JsonObject] = {"type": "string", "format": "date-time"}
_PLAIN: Final[dict[str, JsonObject]] = {
    "string": {"type": "string"},
    "bytes": {"type": "string", "pattern": "^([0-9a-f]{2})*$"},
    "int": {"type": "integer"},
    "long": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "null": {"type": "null"},
}
_HEADERS: Final = {
    "webhook-id": "The same for every attempt; know a repeat by it.",
    "webhook-timestamp": "Seconds since 1970 of this attempt.",
    "webhook-signature": (
        "v1, and the base64 of HMAC-SHA256 over id.timestamp.body; several, with blanks between,"
        " while a secret is changed (Standard Webhooks 1.0.0)."
    ),
}


@cache
def webhooks() -> JsonObject:
    """The member `webhooks` of the document."""
    return {name: {"post": _event(name, *each)} for name, each in EVENTS.items()}


def _event(name: str, record: str, summary: str, example: str) -> JsonObject:
    newest = versions_of(SCHEMAS / record)[-1]
    schema = _schema(json.loads(newest.read_text()))
    shown = _example(record, newest.stem, example)
    time = next(shown[each] for each in ("received_at", "recorded_at", "at") if each in shown)
    return {
        "operationId": _operation_id(name),
        "tags": ["webhooks"],
        "summary": summary,
        "parameters": [
            {
                "name": header,
                "in": "header",
                "required": True,
                "description": description,
                "schema": {"type": "string"},
            }
            for header, description in _HEADERS.items()
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["type", "timestamp", "data"],
                        "properties": {
                            "type": {"const": name},
                            "timestamp": _TIME,
                            "data": schema,
                        },
                    },
                    "example": {"type": name, "timestamp": time, "data": shown},
                }
            },
        },
        "responses": {
            "2XX": {"description": "Taken."},
            "default": {
                "description": "Not taken: it is tried again after 2 minutes, and so on; after"
                " Retry-After, if that is later."
            },
        },
    }


def _operation_id(name: str) -> str:
    """`messageReceived` of `message.received`."""
    first, *rest = name.split(".")
    return first + "".join(word.title() for word in rest)


def _example(record: str, version: str, name: str) -> dict[str, Any]:
    folder = SCHEMAS / "examples" / record / version
    file = folder / f"{name}.json" if name else min(folder.glob("*.json"))
    shown: dict[str, Any] = json.loads(file.read_text())
    return shown


def _schema(kind: Any) -> JsonObject:
    """The JSON Schema of an Avro type, as records are written in JSON."""
    match kind:
        case {"logicalType": "timestamp-micros"}:
            return _TIME
        case {"type": "array", "items": items}:
            return {"type": "array", "items": _schema(items)}
        case {"type": "record", "fields": fields}:
            return {
                "type": "object",
                "required": [field["name"] for field in fields],
                "properties": {
                    field["name"]: _schema(field["type"]) | {"description": field["doc"]}
                    for field in fields
                },
            }
        case list():
            return {"anyOf": [_schema(each) for each in kind]}
        case _:
            return _PLAIN[kind]
