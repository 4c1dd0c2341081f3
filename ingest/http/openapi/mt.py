"""The paths for an MT: ask for one, and ask what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, get_args

import msgspec

from ingest.http.mt import REQUEST_ID
from ingest.http.openapi.components import (
    COMMON,
    GUARDED,
    MT_REFUSED,
    NOT_HTTP,
    NOT_KNOWN,
    SIZED,
    JsonObject,
    json_answer,
    read_path,
    reference,
)
from pipeline.records import CommandState, MtCommand, MtRejection, MtRequest, MtResult, SeenBy

_REQUEST_ID: Final[JsonObject] = {"type": "string", "pattern": f"^{REQUEST_ID.pattern}$"}
_ID: Final = "order-4711"
_ASKED: Final[JsonObject] = {
    "type": "object",
    "required": ["to", "text"],
    "additionalProperties": False,
    "properties": {
        "to": {"type": "string", "description": "Destination, international."},
        "text": {"type": "string"},
        "from": {"type": ["string", "null"], "description": "Sender ID; absent: the gate chooses."},
        "keyword": {"type": ["string", "null"], "description": "For a shared short code."},
        "api_id": {"type": ["string", "null"]},
        "confirms_opt_out": {"type": "boolean", "default": False},
        "not_after": {
            "type": ["string", "null"],
            "format": "date-time",
            "description": "Refuse it after this time; with a zone.",
        },
    },
}
_ASKED_EXAMPLES: Final[JsonObject] = {
    "reply": {
        "summary": "An answer, from the number that was texted.",
        "value": {"to": "447700900001", "from": "447700900999", "text": "Your table is booked."},
    },
    "shortest": {
        "summary": "The gate chooses the sender.",
        "value": {"to": "447700900001", "text": "Your table is booked."},
    },
    "confirmation": {
        "summary": "The confirmation of an opt-out, which passes the gate.",
        "value": {
            "to": "447700900001",
            "text": "You are off the list.",
            "confirms_opt_out": True,
            "not_after": "2026-11-28T15:00:00Z",
        },
    },
}
_TIME: Final[JsonObject] = {"type": ["string", "null"], "format": "date-time"}
_IDS: Final[JsonObject] = {"type": "array", "items": {"type": "string"}}
_MT_STATE: Final[JsonObject] = {
    "type": "object",
    "description": "How its command stands, once the worker has said so.",
    "properties": {
        "state": {"enum": [state.value for state in CommandState]},
        "attempt": {"type": "integer", "description": "0 before one was permitted."},
        "parts": {"type": "array", "items": {"type": "integer"}},
        "until": _TIME | {"description": "Of a permit: when it ends."},
        "retry_at": _TIME | {"description": "No attempt is permitted before it."},
        "behind": {"type": "string", "description": "The command_id that goes first."},
        "gateway_message_ids": _IDS | {"description": "In the order of the parts."},
        "code": {"type": "string", "description": "The gateway's last code or status."},
        "words": {"type": "string"},
        "charge": {"type": "string", "description": "Credits, a decimal number."},
        "charge_units": {"type": "integer", "description": "In 1/3,000,000 credit."},
        "source": {"enum": [source.value for source in SeenBy]},
        "consent_asked_at": _TIME | {"description": "When consent was looked at last."},
        "at": {"type": "string", "format": "date-time"},
    },
}
#: The record that each state shows, and what the state says.
_STATES: Final[dict[str, tuple[type[msgspec.Struct] | None, str]]] = {
    "pending": (None, "Not decided yet, or its command is not read yet."),
    "command": (MtCommand, "It passed the gate, and is not sent yet."),
    "rejection": (MtRejection, "It is not sent; the rule says why."),
    "result": (MtResult, "What became of the command; never goes back from delivered."),
}


def _status_schemas() -> JsonObject:
    """The schema of each state, and of the records in it."""
    kinds: list[Any] = [MtRequest, *(kind for kind, _ in _STATES.values() if kind is not None)]
    _, schemas = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    found: JsonObject = {name: _described(schema) for name, schema in schemas.items()}
    for kind in kinds:
        _mark_times(kind, found[kind.__name__]["properties"])
    for state, (kind, description) in _STATES.items():
        own: JsonObject = {
            "type": "object",
            "required": ["state", "request_id"],
            "properties": {
                "state": {"const": state},
                "request_id": _REQUEST_ID,
                "mt_state": reference("schemas", "MtState"),
            },
        }
        both = {"allOf": [own, reference("schemas", kind.__name__)]} if kind else own
        found[f"{state.capitalize()}Status"] = {"description": description, **both}
    return found


def _mark_times(kind: Any, properties: JsonObject) -> None:
    """Say which strings are times; msgspec leaves that out where the time may lack a zone."""
    for field in msgspec.structs.fields(kind):
        if field.type is datetime:
            properties[field.name]["format"] = "date-time"
        elif datetime in get_args(field.type):
            properties[field.name] = {**_TIME, "default": None}


def _described(schema: JsonObject) -> JsonObject:
    """The schema of a record, without the class's own words."""
    return {name: value for name, value in schema.items() if name not in {"title", "description"}}


MT_SCHEMAS: Final[JsonObject] = {
    "Asked": _ASKED,
    "Accepted": {
        "type": "object",
        "required": ["request_id"],
        "properties": {"request_id": _REQUEST_ID},
    },
    **_status_schemas(),
    "MtState": _MT_STATE,
    "Status": {
        "oneOf": [reference("schemas", f"{state.capitalize()}Status") for state in _STATES],
        "discriminator": {
            "propertyName": "state",
            "mapping": {
                state: f"#/components/schemas/{state.capitalize()}Status" for state in _STATES
            },
        },
    },
}
_REJECTION: Final[JsonObject] = {
    "state": "rejection",
    "rejection_id": "41c8e07d2b9f4a63957e0d1c8b2a6f35",
    "request_id": _ID,
    "command_id": "",
    "handset": "447700900001",
    "sender_id": "447700900999",
    "rule": "opted-out",
    "detail": "Stopped for 447700900999 since 2026-11-28 07:43:50 UTC by a stop word.",
    "mo_message_id": "0d9e4c1b7a5f42e38c6b1f20a7d35e94",
    "caused_at": "2026-11-28T07:43:50Z",
    "scope_kind": "number",
    "scope": "447700900999",
    "at": "2026-11-28T07:43:51.250000Z",
}
_RESULT: Final[JsonObject] = {
    "state": "result",
    "result_id": "2d3e4f5061728394a5b6c7d8e9f00b1c",
    "command_id": "e3f19b7c5d0a4862b1c7f4093ad8625e",
    "request_id": _ID,
    "handset": "447700900001",
    "outcome": "delivered",
    "final": True,
    "gateway_message_id": "c7b1f5e60d9a43288e2f7a1b0c3d4e5f",
    "code": "004",
    "words": "",
    "attempt": 1,
    "at": "2026-11-28T07:43:58Z",
    "way": "http",
    "api_id": "12345",
    "gateway_message_ids": ["c7b1f5e60d9a43288e2f7a1b0c3d4e5f"],
    "charge": "0.300000",
    "source": "callback",
}
MT_PATHS: Final[JsonObject] = {
    "/mt": {
        "post": {
            "operationId": "askForMt",
            "tags": ["mt"],
            "summary": "Ask for an MT; the gate decides.",
            "parameters": [
                {
                    "name": "Idempotency-Key",
                    "in": "header",
                    "required": False,
                    "description": "Becomes the request_id; absent: one is made. The same key with"
                    " the same content changes nothing, so ask again after a 503 or no answer.",
                    "schema": _REQUEST_ID,
                    "example": _ID,
                }
            ],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": reference("schemas", "Asked"),
                        "examples": _ASKED_EXAMPLES,
                    }
                },
            },
            "responses": {
                "202": {
                    **json_answer(
                        "Kafka has it, now or from an equal request before.",
                        reference("schemas", "Accepted"),
                        {"accepted": {"request_id": _ID}},
                    ),
                    "headers": {
                        "Location": {
                            "schema": {"type": "string"},
                            "description": "Where it says what became of it.",
                            "example": f"/mt/{_ID}",
                        }
                    },
                },
                **MT_REFUSED,
                **GUARDED,
                **COMMON,
                **SIZED,
            },
        }
    },
    "/mt/{request_id}": {
        "parameters": [
            {
                "name": "request_id",
                "in": "path",
                "required": True,
                "schema": _REQUEST_ID,
                "example": _ID,
            }
        ],
        **read_path(
            "Mt",
            "What became of a request of the last 24 hours.",
            "mt",
            {
                "200": json_answer(
                    "The state, and the fields of the record it stands in.",
                    reference("schemas", "Status"),
                    {
                        "pending": {"state": "pending", "request_id": _ID},
                        "rejection": _REJECTION,
                        "result": _RESULT,
                    },
                ),
                **NOT_KNOWN,
                **NOT_HTTP,
                **GUARDED,
                **COMMON,
            },
        ),
    },
}
