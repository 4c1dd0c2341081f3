"""Describes the paths for an MT: request one, and get the state of a request."""

from __future__ import annotations

from typing import Final

from ingest.http.openapi.components import (
    COMMON,
    GUARDED,
    MT_REFUSED,
    NO_SUCH_REQUEST,
    NOT_HTTP,
    SIZED,
    JsonObject,
    json_answer,
    read_path,
    reference,
)
from ingest.http.openapi.mt_schemas import REQUEST_ID_SCHEMA

_ID: Final = "order-4711"
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
                    "schema": REQUEST_ID_SCHEMA,
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
                "schema": REQUEST_ID_SCHEMA,
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
                **NO_SUCH_REQUEST,
                **NOT_HTTP,
                **GUARDED,
                **COMMON,
            },
        ),
    },
}
