"""The description of the service (OpenAPI 3.1.0), served at /openapi.json.

tests/ingest/http/test_openapi.py holds it against the routes.
"""

from __future__ import annotations

from typing import Final

from ingest.http.openapi.answers import (
    COMMON,
    GUARDED,
    JsonObject,
    json_answer,
    read_path,
    text_answer,
)
from ingest.http.openapi.callbacks import CALLBACK_PATHS
from ingest.http.openapi.events import webhooks
from ingest.http.openapi.mt import MT_PATHS

DOCUMENT: Final[JsonObject] = {
    "openapi": "3.1.0",
    "info": {
        "title": "Two-way ingest",
        "version": "1",
        "description": (
            "Takes the gateway's callbacks and an application's requests for MTs. Every path may be"
            " written as /t/{token}/…, which is how a token is given. The webhooks are what"
            " `twoway deliver` posts to an application."
        ),
    },
    "security": [{}, {"basic": []}],
    "components": {"securitySchemes": {"basic": {"type": "http", "scheme": "basic"}}},
    "webhooks": webhooks(),
    "paths": {
        **CALLBACK_PATHS,
        **MT_PATHS,
        "/healthz": read_path(
            "Whether the process lives.",
            {"200": json_answer("It does.", {"type": "object"}), **COMMON},
        ),
        "/readyz": read_path(
            "Whether a callback sent now would be taken.",
            {"200": json_answer("Kafka answers.", {"type": "object"}), **COMMON},
        ),
        "/metrics": read_path(
            "Metrics in the Prometheus text format.",
            {"200": text_answer("The metrics."), **GUARDED, **COMMON},
        ),
        "/openapi.json": read_path(
            "This document.", {"200": json_answer("OpenAPI 3.1.", {"type": "object"}), **COMMON}
        ),
    },
}
