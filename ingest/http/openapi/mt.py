"""The paths for an MT: ask for one, and ask what became of it."""

from __future__ import annotations

from typing import Final

from ingest.http.mt import REQUEST_ID
from ingest.http.openapi.answers import (
    COMMON,
    GUARDED,
    SIZED,
    JsonObject,
    json_answer,
    read_path,
    text_answer,
)
from pipeline.records import CommandState, SeenBy

_REQUEST_ID: Final[JsonObject] = {"type": "string", "pattern": f"^{REQUEST_ID.pattern}$"}
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

MT_PATHS: Final[JsonObject] = {
    "/mt": {
        "post": {
            "summary": "Ask for an MT; the gate decides.",
            "parameters": [
                {
                    "name": "Idempotency-Key",
                    "in": "header",
                    "required": False,
                    "description": "Becomes the request_id; absent: one is made.",
                    "schema": _REQUEST_ID,
                }
            ],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": _ASKED}},
            },
            "responses": {
                "202": json_answer(
                    "Kafka has it, now or from an equal request before.",
                    {
                        "type": "object",
                        "required": ["request_id"],
                        "properties": {"request_id": _REQUEST_ID},
                    },
                ),
                "400": text_answer(
                    "Not JSON, or a field is wrong or unknown; the words say which."
                ),
                "409": text_answer("The Idempotency-Key was used for another request."),
                **GUARDED,
                **COMMON,
                **SIZED,
            },
        }
    },
    "/mt/{request_id}": {
        "parameters": [
            {"name": "request_id", "in": "path", "required": True, "schema": _REQUEST_ID}
        ],
        **read_path(
            "What became of a request of the last 24 hours.",
            {
                "200": json_answer(
                    "The state, and the fields of the record it stands in. A result says what"
                    " became of the command in the end, and never goes back from delivered.",
                    {
                        "type": "object",
                        "required": ["state", "request_id"],
                        "properties": {
                            "state": {"enum": ["pending", "command", "rejection", "result"]},
                            "request_id": _REQUEST_ID,
                            "mt_state": _MT_STATE,
                        },
                    },
                ),
                "404": text_answer("No request of the last 24 hours has this id."),
                **GUARDED,
                **COMMON,
            },
        ),
    },
}
