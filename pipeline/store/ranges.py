"""Checks that integers fit their schema and column: an Avro `int` and an Int32 have 32 bits.

A foreign program may write 64 bits where the schema has an int, and the codec reads them.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from pipeline.avro.single_object import SCHEMAS, snake_from_camel, versions_of

if TYPE_CHECKING:
    from pipeline.records import Record

_BOUND: Final = 1 << 31


def too_large(record: Record) -> str:
    """The name of the first int field that does not fit into 32 bits; empty if all fit."""
    for name in _ints_of(type(record)):
        value = getattr(record, name)
        for each in value if isinstance(value, list) else (value,):
            if isinstance(each, int) and not -_BOUND <= each < _BOUND:
                return name
    return ""


@cache
def _ints_of(kind: type[Record]) -> tuple[str, ...]:
    newest = versions_of(SCHEMAS / snake_from_camel(kind.__name__))[-1]
    fields = json.loads(newest.read_text("utf-8"))["fields"]
    return tuple(field["name"] for field in fields if _is_int(field["type"]))


def _is_int(schema: Any) -> bool:
    match schema:
        case "int" | {"type": "int"}:
            return True
        case {"type": "array", "items": items}:
            return _is_int(items)
        case list():
            return any(_is_int(each) for each in schema)
    return False
