"""The description of the service (OpenAPI 3.1.0), served at /openapi.json.

tests/ingest/http/test_openapi.py holds it against the routes.
"""

from __future__ import annotations

from typing import Any, Final

from ingest.http.mt import REQUEST_ID
from pipeline.records import CommandState, SeenBy

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
_STATUS_VARIABLES: Final[JsonObject] = {
    "to": "Handset; absent: that of the command which the ids name.",
    "apiMsgId": "The gateway's id of the message.",
    "cliMsgId": "Our id of it: the command_id.",
    "status": "3 digits, such as 004.",
    "charge": "Credits, a decimal number.",
    "timestamp": "Seconds since 1970.",
    "from": "Sender ID.",
    "api_id": "The API it was sent by.",
}
_TAKEN: Final[JsonObject] = {
    "200": _text(
        "Kafka has it on every in-sync replica; or the request had no parameter of a callback and"
        " nothing was recorded."
    ),
    "400": _text(
        "`from` or `to` is absent or empty, the percent-encoding is broken, or the XML is not"
        " XML; the request is kept in the dead letter. A status lacks only `to`, and only where"
        " no command is known by its ids. Also: what is not HTTP."
    ),
    **_GUARDED,
    **_COMMON,
    **_SIZED,
}
_TRIAL: Final[JsonObject] = {
    "summary": "Trying the URL; refused when it carries a callback.",
    "responses": _TAKEN,
}


def _form_way(what: str, variables: JsonObject) -> JsonObject:
    """A way that brings the variables as a query or a form."""
    schema: JsonObject = {"type": "string"}
    return {
        "get": {
            "summary": what,
            "parameters": [
                {
                    "name": name,
                    "in": "query",
                    "required": False,
                    "description": description,
                    "schema": schema,
                }
                for name, description in variables.items()
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
                                name: schema | {"description": description}
                                for name, description in variables.items()
                            },
                        }
                    }
                }
            },
            "responses": _TAKEN,
        },
        "head": _TRIAL,
    }


def _document_way(what: str) -> JsonObject:
    """A way that brings the variables as elements of a document."""
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
        "head": _TRIAL,
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
        "/mo/http": _form_way(
            "A part, as the gateway's HTTP callback delivers it (guide 8.3.1).", _VARIABLES
        ),
        "/mo/xml": _document_way("A part as <clickmo> (guide 8.3.4)."),
        "/mo/soap": _document_way("A part as <tns:mo_callback> in an envelope (guide 8.3.5)."),
        "/status/http": _form_way(
            "What became of an MT, as the gateway's HTTP callback says it.", _STATUS_VARIABLES
        ),
        "/status/xml": _document_way("What became of an MT, as <callback>."),
        "/status/soap": _document_way("What became of an MT, as <tns:mt_callback>."),
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
