"""The OpenAPI 3.1.0 description of the service, served at /openapi.json.

tests/ingest/http/test_openapi.py compares it with the routes.
"""

from __future__ import annotations

from typing import Any, Final

from ingest.http.mt import REQUEST_ID

JsonObject = dict[str, Any]


def _text(description: str) -> JsonObject:
    return {
        "description": description,
        "content": {"text/plain": {"schema": {"type": "string"}}},
    }


def _json(description: str, schema: JsonObject) -> JsonObject:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


_RETRY: Final[JsonObject] = {
    "headers": {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
}
_GUARDED: Final[JsonObject] = {
    "401": _text("A user and password are needed (Basic auth is configured)."),
    "403": _text("This address or token may not call."),
}
_COMMON: Final[JsonObject] = {
    "405": _text("Not by this method; Allow says by which."),
    "408": _text("The request took too long to arrive."),
    "431": _text("The headers are too long."),
    "503": _text("Not now: too much at once, or Kafka does not answer.") | _RETRY,
}
_SIZED: Final[JsonObject] = {
    "413": _text("The body is longer than body_limit_bytes (64 KiB)."),
    "414": _text("The target is longer than body_limit_bytes (64 KiB)."),
    "415": _text("A Content-Encoding, or a type this path does not take."),
    "501": _text("A Transfer-Encoding other than chunked."),
}
_VARIABLES: Final[JsonObject] = {
    "from": "Handset; required, the only one with `to`.",
    "to": "Number; required.",
    "text": "The octets of the text in `charset`, percent-encoded.",
    "charset": "ISO-8859-1 when absent, UTF-16BE or 8-BIT.",
    "udh": "User data header in hex.",
    "timestamp": "YYYY-MM-DD HH:MM:SS at +02:00.",
    "moMsgId": "The gateway's id of the part.",
    "api_id": "The API the number belongs to.",
}
_TAKEN: Final[JsonObject] = {
    "200": _text(
        "Kafka has it on every in-sync replica; or the request had no parameter of a callback and"
        " nothing was recorded."
    ),
    "400": _text(
        "`from` or `to` is absent or empty, the percent-encoding is broken, or the XML is not"
        " XML; the request is kept in the dead letter. Also: what is not HTTP."
    ),
    **_GUARDED,
    **_COMMON,
    **_SIZED,
}
_WAY: Final[JsonObject] = {
    "get": {
        "summary": "A part, as the gateway's HTTP callback delivers it (guide 8.3.1).",
        "parameters": [
            {
                "name": name,
                "in": "query",
                "required": False,
                "description": description,
                "schema": {"type": "string"},
            }
            for name, description in _VARIABLES.items()
        ],
        "responses": _TAKEN,
    },
    "post": {
        "summary": "The same as a form.",
        "requestBody": {
            "content": {
                "application/x-www-form-urlencoded": {
                    "schema": {
                        "type": "object",
                        "properties": {
                            name: {"type": "string", "description": description}
                            for name, description in _VARIABLES.items()
                        },
                    }
                }
            }
        },
        "responses": _TAKEN,
    },
    "head": {
        "summary": "Trying the URL; refused when it carries a callback.",
        "responses": _TAKEN,
    },
}


def _document_way(what: str) -> JsonObject:
    """The description of a way that has the variables as elements of an XML document."""
    schema: JsonObject = {"type": "string"}
    form = {"schema": {"type": "object", "properties": {"data": schema}}}
    return {
        "get": {
            "summary": what,
            "parameters": [
                {
                    "name": "data",
                    "in": "query",
                    "required": False,
                    "description": "The document; undecoded where it begins with a literal <.",
                    "schema": schema,
                }
            ],
            "responses": _TAKEN,
        },
        "post": {
            "summary": "The same, in `data` of a form or as the body.",
            "requestBody": {
                "content": {
                    "application/x-www-form-urlencoded": form,
                    "text/xml": {"schema": schema},
                }
            },
            "responses": _TAKEN,
        },
        "head": _WAY["head"],
    }


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


def _read(summary: str, responses: JsonObject) -> JsonObject:
    return {
        "get": {"summary": summary, "responses": responses},
        "head": {"summary": "The same without its body.", "responses": responses},
    }


DOCUMENT: Final[JsonObject] = {
    "openapi": "3.1.0",
    "info": {
        "title": "Two-way ingest",
        "version": "1",
        "description": (
            "Takes the gateway's callbacks and an application's requests for MTs. Every path may be"
            " written as /t/{token}/…, which is how a token is given."
        ),
    },
    "security": [{}, {"basic": []}],
    "components": {"securitySchemes": {"basic": {"type": "http", "scheme": "basic"}}},
    "paths": {
        "/mo/http": _WAY,
        "/mo/xml": _document_way("A part as <clickmo> (guide 8.3.4)."),
        "/mo/soap": _document_way("A part as <tns:mo_callback> in an envelope (guide 8.3.5)."),
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
                    "202": _json(
                        "Kafka has it, now or from an equal request before.",
                        {
                            "type": "object",
                            "required": ["request_id"],
                            "properties": {"request_id": _REQUEST_ID},
                        },
                    ),
                    "400": _text("Not JSON, or a field is wrong or unknown; the words say which."),
                    "409": _text("The Idempotency-Key was used for another request."),
                    **_GUARDED,
                    **_COMMON,
                    **_SIZED,
                },
            }
        },
        "/mt/{request_id}": {
            "parameters": [
                {"name": "request_id", "in": "path", "required": True, "schema": _REQUEST_ID}
            ],
            **_read(
                "What became of a request of the last 24 hours.",
                {
                    "200": _json(
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
                    "404": _text("No request of the last 24 hours has this id."),
                    **_GUARDED,
                    **_COMMON,
                },
            ),
        },
        "/healthz": _read(
            "Whether the process lives.",
            {"200": _json("It does.", {"type": "object"}), **_COMMON},
        ),
        "/readyz": _read(
            "Whether a callback sent now would be taken.",
            {"200": _json("Kafka answers.", {"type": "object"}), **_COMMON},
        ),
        "/metrics": _read(
            "Metrics in the Prometheus text format.",
            {"200": _text("The metrics."), **_GUARDED, **_COMMON},
        ),
        "/openapi.json": _read(
            "This document.", {"200": _json("OpenAPI 3.1.", {"type": "object"}), **_COMMON}
        ),
    },
}
