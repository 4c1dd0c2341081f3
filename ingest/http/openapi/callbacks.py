"""The paths that take a callback of the gateway."""

from __future__ import annotations

from typing import Final

from ingest.http.openapi.components import (
    CALLBACK_REFUSED,
    COMMON,
    GUARDED,
    SIZED,
    JsonObject,
    text_answer,
)

Variables = dict[str, tuple[str, str]]
"""Description and example by the documents' name; an empty example is none."""

_MO: Final[Variables] = {
    "api_id": ("The API the number belongs to.", "12345"),
    "from": ("Handset; required, the only one with `to`.", "447700900001"),
    "to": ("Number; required.", "447700900999"),
    "timestamp": ("YYYY-MM-DD HH:MM:SS at +02:00.", "2026-11-28 09:43:50"),
    "text": ("The octets of the text in `charset`, percent-encoded.", "Hello"),
    "charset": ("ISO-8859-1 when absent, UTF-16BE or 8-BIT.", "ISO-8859-1"),
    "udh": ("User data header in hex; of a part of a longer message.", ""),
    "moMsgId": ("The gateway's id of the part.", "b9e4a1b7c5d0a4862b1c7f4093ad8625"),
}
_STATUS: Final[Variables] = {
    "api_id": ("The API it was sent by.", "12345"),
    "apiMsgId": ("The gateway's id of the message.", "c7b1f5e60d9a43288e2f7a1b0c3d4e5f"),
    "cliMsgId": ("Our id of it: the command_id.", "e3f19b7c5d0a4862b1c7f4093ad8625e"),
    "to": ("Handset; absent: that of the command which the ids name.", "447700900001"),
    "from": ("Sender ID.", "447700900999"),
    "timestamp": ("Seconds since 1970.", "1795855430"),
    "status": ("3 digits, such as 004.", "004"),
    "charge": ("Credits, a decimal number.", "0.300000"),
}
_FORM: Final = "application/x-www-form-urlencoded"
_TEXT: Final[JsonObject] = {"type": "string"}
_TAKEN: Final[JsonObject] = {
    "200": text_answer(
        "Kafka has it on every in-sync replica; or the request had no parameter of a callback and"
        " nothing was recorded.",
        "taken",
    ),
    **CALLBACK_REFUSED,
    **GUARDED,
    **COMMON,
    **SIZED,
}


def _examples(variables: Variables) -> dict[str, str]:
    return {name: example for name, (_, example) in variables.items() if example}


def _elements(variables: Variables) -> str:
    return "".join(f"<{name}>{text}</{name}>" for name, text in _examples(variables).items())


def _xml(element: str, variables: Variables) -> str:
    return f'<?xml version="1.0"?><{element}>{_elements(variables)}</{element}>'


def _soap(element: str, variables: Variables) -> str:
    envelope = 'SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"'
    return (
        f'<?xml version="1.0"?><{envelope}><SOAP-ENV:Body><tns:{element} xmlns:tns="clickatell">'
        f"{_elements(variables)}</tns:{element}></SOAP-ENV:Body></SOAP-ENV:Envelope>"
    )


def _way(
    name: str, summary: str, post: str, parameters: JsonObject, body: JsonObject
) -> JsonObject:
    """A path of the gateway; `body` is the content of a POST, by type."""
    shared: JsonObject = {"tags": ["callbacks"], "responses": _TAKEN}
    given = [
        {"name": each, "in": "query", "required": False, "schema": _TEXT, **parameter}
        for each, parameter in parameters.items()
    ]
    taken = {"operationId": f"take{name}", "summary": summary, "parameters": given, **shared}
    posted = {
        "operationId": f"take{name}Post",
        "summary": post,
        "requestBody": {"content": body},
        **shared,
    }
    tried = {
        "operationId": f"try{name}",
        "summary": "Trying the URL; refused when it carries a callback.",
        **shared,
    }
    return {"get": taken, "post": posted, "head": tried}


def _form_way(name: str, summary: str, variables: Variables) -> JsonObject:
    """A way that brings the variables as a query or a form."""
    parameters = {
        each: {"description": description, **({"example": example} if example else {})}
        for each, (description, example) in variables.items()
    }
    properties = {
        each: {**_TEXT, "description": description} for each, (description, _) in variables.items()
    }
    schema = {"type": "object", "properties": properties}
    body = {_FORM: {"schema": schema, "example": _examples(variables)}}
    return _way(name, summary, "The same as a form.", parameters, body)


def _document_way(name: str, summary: str, document: str) -> JsonObject:
    """A way that brings the variables as elements of a document."""
    description = "The document; undecoded where it begins with a literal <."
    schema: JsonObject = {"type": "object", "properties": {"data": _TEXT}}
    return _way(
        name,
        summary,
        "The same, in `data` of a form or as the body.",
        {"data": {"description": description, "example": document}},
        {
            _FORM: {"schema": schema, "example": {"data": document}},
            "text/xml": {"schema": _TEXT, "example": document},
        },
    )


CALLBACK_PATHS: Final[JsonObject] = {
    "/mo/http": _form_way(
        "MoHttp", "A part, as the gateway's HTTP callback delivers it (guide 8.3.1).", _MO
    ),
    "/mo/xml": _document_way("MoXml", "A part as <clickmo> (guide 8.3.4).", _xml("clickmo", _MO)),
    "/mo/soap": _document_way(
        "MoSoap",
        "A part as <tns:mo_callback> in an envelope (guide 8.3.5).",
        _soap("mo_callback", _MO),
    ),
    "/status/http": _form_way(
        "StatusHttp", "What became of an MT, as the gateway's HTTP callback says it.", _STATUS
    ),
    "/status/xml": _document_way(
        "StatusXml", "What became of an MT, as <callback>.", _xml("callback", _STATUS)
    ),
    "/status/soap": _document_way(
        "StatusSoap",
        "What became of an MT, as <tns:mt_callback>.",
        _soap("mt_callback", _STATUS),
    ),
}
