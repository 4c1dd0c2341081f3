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
                    "The state, and the record it stands in.",
                    {
                        "type": "object",
                        "required": ["state", "request_id"],
                        "properties": {
                            "state": {"enum": ["pending", "command", "rejection", "result"]},
                            "request_id": _REQUEST_ID,
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
