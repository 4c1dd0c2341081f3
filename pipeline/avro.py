"""Avro single-object encoding of the records (Avro 1.12, "Single-object encoding").

`C3 01`, the CRC-64-AVRO fingerprint of the writer's schema (8 octets, little endian), the body.
Readers take every version under `schemas/<record>/`; writers write the newest.
"""

from __future__ import annotations

import io
import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import fastavro
import fastavro.schema
import msgspec

from pipeline import records
from pipeline.records import Record

MARKER: Final = b"\xc3\x01"
HEADER_LENGTH: Final = 10
SCHEMAS: Final = Path(__file__).resolve().parent.parent / "schemas"


class Unreadable(ValueError):
    """The octets are not a record of ours; the words say why."""


def snake_from_camel(name: str) -> str:
    """`MoRaw` -> `mo_raw`, the folder, table and (with `-`) topic of a record."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


class _Codec:
    """Reads and writes one record class."""

    def __init__(self, kind: type[Record]) -> None:
        self.kind = kind
        folder = SCHEMAS / snake_from_camel(kind.__name__)
        versions = sorted(folder.glob("*.avsc"), key=lambda path: int(path.stem))
        written = [json.loads(path.read_text()) for path in versions]
        self.written = {_fingerprint(schema): _parsed(schema) for schema in written}
        self.newest = _parsed(written[-1])
        self.header = MARKER + _fingerprint(written[-1])
        self.nested = {f.name: f.type for f in msgspec.structs.fields(kind)}


def _parsed(schema: dict[str, Any]) -> Any:
    return fastavro.parse_schema(schema, named_schemas={})


def _fingerprint(schema: dict[str, Any]) -> bytes:
    canonical = fastavro.schema.to_parsing_canonical_form(schema)
    return bytes.fromhex(fastavro.schema.fingerprint(canonical, "CRC-64-AVRO"))


@cache
def _codec(kind: type[Record]) -> _Codec:
    return _Codec(kind)


@cache
def _by_fingerprint() -> dict[bytes, tuple[type[Record], Any, Any]]:
    table = {}
    for kind in Record.__subclasses__():
        codec = _codec(kind)
        for fingerprint, schema in codec.written.items():
            table[fingerprint] = (kind, schema, codec.newest)
    return table


def encode(record: Record) -> bytes:
    """The record in single-object encoding, by the newest schema of its class."""
    codec = _codec(type(record))
    body = io.BytesIO()
    body.write(codec.header)
    fastavro.schemaless_writer(body, codec.newest, msgspec.to_builtins(record, builtin_types=(bytes, datetime)))
    return body.getvalue()


def decode(octets: bytes) -> Record:
    """The record in `octets`, whatever version wrote it; raises `Unreadable`."""
    if octets[:2] != MARKER or len(octets) < HEADER_LENGTH:
        raise Unreadable("not Avro single-object encoding")
    found = _by_fingerprint().get(octets[2:HEADER_LENGTH])
    if found is None:
        raise Unreadable(f"no schema has the fingerprint {octets[2:HEADER_LENGTH].hex()}")
    kind, written, newest = found
    body = io.BytesIO(octets)
    body.seek(HEADER_LENGTH)
    try:
        value = fastavro.schemaless_reader(body, written, None if written is newest else newest)
    except (EOFError, ValueError, IndexError, OverflowError, UnicodeDecodeError, TypeError) as error:
        raise Unreadable(f"the body is not a {kind.__name__}: {type(error).__name__}") from error
    if body.tell() != len(octets):
        raise Unreadable(f"{len(octets) - body.tell()} octets after the {kind.__name__}")
    return msgspec.convert(value, kind)
