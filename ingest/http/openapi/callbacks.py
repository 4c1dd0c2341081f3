"""The paths that take a callback of the gateway."""

from __future__ import annotations

from typing import Final

from ingest.http.openapi.answers import COMMON, GUARDED, SIZED, JsonObject, text_answer

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
    "200": text_answer(
        "Kafka has it on every in-sync replica; or the request had no parameter of a callback and"
        " nothing was recorded."
    ),
    "400": text_answer(
        "`from` or `to` is absent or empty, the percent-encoding is broken, or the XML is not"
        " XML; the request is kept in the dead letter. A status lacks only `to`, and only where"
        " no command is known by its ids. Also: what is not HTTP."
    ),
    **GUARDED,
    **COMMON,
    **SIZED,
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


CALLBACK_PATHS: Final[JsonObject] = {
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
}
