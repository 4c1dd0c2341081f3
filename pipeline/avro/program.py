"""Checks an Avro schema, and gives it in the form that `native.c` takes.

Known types are string, bytes, int, long, boolean, timestamp-micros, arrays, records, and unions of
null and one other type (Avro 1.12). Any other type raises `UnknownSchema`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

CodecProgram = tuple[str, type | None, tuple[tuple[str, Any], ...]]

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")  # "Names"


class UnknownSchema(ValueError):
    """The schema has a type that we cannot write and read; the words name the type."""


def program(schema: Any, kinds: Mapping[str, type]) -> CodecProgram:
    """Case, class or None, and named parts; `kinds` has the class of every record's name."""
    case, inner = _case(schema), _inner(schema)
    if case == "record":
        parts = tuple((name, program(part, kinds)) for name, part in _fields(schema))
        return case, kinds[schema["name"]], parts
    return case, None, () if inner is None else (("", program(inner, kinds)),)


def _fields(schema: Any) -> list[tuple[str, Any]]:
    fields = [(field["name"], field["type"]) for field in schema["fields"]]
    if not fields:
        raise UnknownSchema("a record of no fields: an array of them could go on for ever")
    for name, _ in fields:
        if not NAME.fullmatch(name):
            raise UnknownSchema(f"{name!r} is not an Avro name")
    return fields


def _case(schema: Any) -> str:
    match schema:
        case "long":
            return "int"  # one encoding for both ("Primitive Types")
        case "string" | "bytes" | "int" | "boolean":
            return str(schema)
        case {"type": "long", "logicalType": "timestamp-micros"}:
            return "time"
        case {"type": "array" | "record" as case}:
            return str(case)
        case ["null", _]:
            return "optional"
    raise UnknownSchema(f"no writer or reader for {schema}")


def _inner(schema: Any) -> Any:
    """The schema inside an array or union; None for other schemas."""
    match schema:
        case {"type": "array", "items": inner} | ["null", inner]:
            return inner
    return None
