"""The description of the service (OpenAPI 3.1.0), served at /openapi.json.

tests/ingest/http/test_openapi.py compares it with the running service; docs/openapi.yaml is a copy
for readers.
"""

from __future__ import annotations

from typing import Final

from ingest.http.openapi.callbacks import CALLBACK_PATHS
from ingest.http.openapi.components import (
    COMMON,
    GUARDED,
    NOT_HTTP,
    PROBLEM_SCHEMA,
    RESPONSES,
    JsonObject,
    json_answer,
    read_path,
    text_answer,
)
from ingest.http.openapi.events import webhooks
from ingest.http.openapi.mt import MT_PATHS
from ingest.http.openapi.mt_schemas import MT_SCHEMAS


def _flag(name: str) -> JsonObject:
    """An object with one boolean."""
    return {"type": "object", "required": [name], "properties": {name: {"type": "boolean"}}}


_OWN: Final = "service"
DOCUMENT: Final[JsonObject] = {
    "openapi": "3.1.0",
    "info": {
        "title": "Two-way ingest",
        "version": "1",
        "summary": "Takes the gateway's callbacks and an application's requests for MTs.",
        "description": (
            "A 200 or 202 means that Kafka has acknowledged. Every error is problem details"
            " (RFC 9457). After a 503, or no answer at all, send the same again. The webhooks are"
            " what `twoway deliver` posts to an application."
        ),
    },
    "servers": [
        {"url": "http://127.0.0.1:8080", "description": "The stack of `twoway up`."},
        {
            "url": "https://{host}/t/{token}",
            "description": "An installation that asks for a token, which is cut out of the path.",
            "variables": {
                "host": {"default": "sms.example.com"},
                "token": {"default": "token", "description": "One of the setting `tokens`."},
            },
        },
        {
            "url": "https://{host}",
            "description": "An installation with Basic auth or a list of addresses.",
            "variables": {"host": {"default": "sms.example.com"}},
        },
    ],
    "security": [{}, {"basic": []}],
    "tags": [
        {"name": "callbacks", "description": "For the gateway: messages, and statuses of MTs."},
        {"name": "mt", "description": "For applications: ask for an MT, see what became of it."},
        {"name": "webhooks", "description": "What an application of yours is sent."},
        {"name": _OWN, "description": "For whoever runs it."},
    ],
    "webhooks": webhooks(),
    "paths": {
        **CALLBACK_PATHS,
        **MT_PATHS,
        "/healthz": read_path(
            "Health",
            "Whether the process lives.",
            _OWN,
            {
                "200": json_answer("It does.", _flag("alive"), {"alive": {"alive": True}}),
                **NOT_HTTP,
                **COMMON,
            },
        ),
        "/readyz": read_path(
            "Readiness",
            "Whether a callback sent now would be taken.",
            _OWN,
            {
                "200": json_answer("Kafka answers.", _flag("ready"), {"ready": {"ready": True}}),
                **NOT_HTTP,
                **COMMON,
            },
        ),
        "/metrics": read_path(
            "Metrics",
            "Metrics in the Prometheus text format.",
            _OWN,
            {
                "200": text_answer("The metrics.", "twoway_ingest_kafka_reachable 1.0\n"),
                **NOT_HTTP,
                **GUARDED,
                **COMMON,
            },
        ),
        "/openapi.json": read_path(
            "Description",
            "This document.",
            _OWN,
            {
                "200": json_answer("OpenAPI 3.1.", {"type": "object"}, {}),
                **NOT_HTTP,
                **COMMON,
            },
        ),
    },
    "components": {
        "securitySchemes": {"basic": {"type": "http", "scheme": "basic"}},
        "responses": RESPONSES,
        "schemas": {"Problem": PROBLEM_SCHEMA, **MT_SCHEMAS},
    },
}
