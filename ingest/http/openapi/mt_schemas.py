"""The schemas of an MT request, and of each state that one can be in."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, get_args

import msgspec

from ingest.http.mt.requests import REQUEST_ID
from ingest.http.openapi.components import JsonObject, reference
from pipeline.records import CommandState, MtCommand, MtRejection, MtRequest, MtResult, SeenBy

REQUEST_ID_SCHEMA: Final[JsonObject] = {"type": "string", "pattern": f"^{REQUEST_ID.pattern}$"}
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
                "request_id": REQUEST_ID_SCHEMA,
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
        "properties": {"request_id": REQUEST_ID_SCHEMA},
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
