"""Writers and readers of Avro's binary encoding, by fastavro and msgspec (Avro 1.12).

This form runs if `native.c` is not compiled, and the tests compare `native.c` with it. fastavro
makes a dict of each record. msgspec makes the record of the dict, with defaults for fields that an
older schema lacks.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from datetime import datetime
from io import BytesIO
from typing import Any

import fastavro
import msgspec

from pipeline.avro.program import program

RecordWriter = Callable[[Any], bytes]
RecordReader = Callable[
    [bytes, int], tuple[Any, int]
]  # (octets, position) -> (value, next position)


def make_writer(schema: Any, kinds: Mapping[str, type], *, prefix: bytes = b"") -> RecordWriter:
    """A function `value -> prefix + its octets`; `kinds` has the class of every record's name.

    Raises `UnknownSchema`. The function raises fastavro's error for a value that does not fit the
    schema, and `TypeError` for a time without a zone.
    """
    parsed = _parsed(schema, kinds)

    def write(value: Any) -> bytes:
        plain = msgspec.to_builtins(value, builtin_types=(bytes, datetime))
        _refuse_naive_times(plain)
        stream = BytesIO()
        stream.write(prefix)
        fastavro.schemaless_writer(stream, parsed, plain)
        return stream.getvalue()

    return write


def make_reader(schema: Any, kinds: Mapping[str, type]) -> RecordReader:
    """A function `(octets, position) -> (value, next position)`.

    Fields that the schema lacks get their default. Bad octets raise `ValueError`, `IndexError` or
    `OverflowError`; no memory is allocated for a length beyond the end. Raises `UnknownSchema`.
    """
    parsed = _parsed(schema, kinds)
    kind = kinds[schema["name"]] if isinstance(schema, dict) and "name" in schema else Any

    def read(octets: bytes, position: int) -> tuple[Any, int]:
        stream = BytesIO(octets)
        stream.seek(position)
        try:
            value = fastavro.schemaless_reader(stream, parsed, None)
        except EOFError as error:
            raise IndexError("it ends too soon") from error
        return msgspec.convert(value, kind), stream.tell()

    return read


def _parsed(schema: Any, kinds: Mapping[str, type]) -> Any:
    program(schema, kinds)  # refuses schemas that the form in C does not know
    return fastavro.parse_schema(copy.deepcopy(schema), named_schemas={})


def _refuse_naive_times(value: Any) -> None:
    """Raise `TypeError` for a time without a zone: fastavro would take it for a local time."""
    match value:
        case datetime(tzinfo=None):
            raise TypeError("a time without a zone")
        case dict():
            for each in value.values():
                _refuse_naive_times(each)
        case list():
            for each in value:
                _refuse_naive_times(each)
