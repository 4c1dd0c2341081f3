"""Avro single-object encoding of the records (Avro 1.12, "Single-object encoding").

A value is `C3 01`, the CRC-64-AVRO fingerprint of the writer's schema (8 octets, little endian),
and the body. Readers take every version under `schemas/<record>/`. Writers write the newest.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import fastavro
import fastavro.schema

from pipeline import records
from pipeline.avro import codec
from pipeline.avro.program import program
from pipeline.compiled import ROOT
from pipeline.records import Record

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.avro.codec import RecordReader, RecordWriter

MARKER: Final = b"\xc3\x01"
HEADER_LENGTH: Final = 10
SCHEMAS: Final = ROOT / "schemas"  # not by `__file__`, which is elsewhere where it is compiled

try:  # the form in C, if `deploy/compile.py` has compiled it (deploy/decisions/0077)
    NATIVE: Any = import_module("pipeline.avro.native")
except ImportError:
    NATIVE = None


class Unreadable(ValueError):
    """The octets are not one of our records; the words say why."""


def snake_from_camel(name: str) -> str:
    """`MoRaw` -> `mo_raw`: the name of a record's folder, table and (with `-`) topic."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


def versions_of(folder: Path) -> list[Path]:
    """The schema files of one record, oldest first."""
    return sorted(folder.glob("*.avsc"), key=lambda path: int(path.stem))


def header_of(schema: dict[str, Any]) -> bytes:
    """The ten octets before a body of `schema`; fastavro raises its error for a bad schema."""
    fastavro.parse_schema(schema, named_schemas={})
    canonical = fastavro.schema.to_parsing_canonical_form(schema)
    return MARKER + bytes.fromhex(fastavro.schema.fingerprint(canonical, "CRC-64-AVRO"))


def make_writer(schema: Any, *, prefix: bytes = b"") -> RecordWriter:
    """A function `value -> prefix + its octets`, as in `codec.make_writer`."""
    if NATIVE is None:
        return codec.make_writer(schema, vars(records), prefix=prefix)
    return NATIVE.make_writer(program(schema, vars(records)), prefix)  # type: ignore[no-any-return]


def make_reader(schema: Any) -> RecordReader:
    """A function `(octets, position) -> (value, next position)`, as in `codec.make_reader`."""
    if NATIVE is None:
        return codec.make_reader(schema, vars(records))
    return NATIVE.make_reader(program(schema, vars(records)))  # type: ignore[no-any-return]


@cache
def _codecs() -> tuple[
    dict[type[Record], RecordWriter], dict[bytes, tuple[type[Record], RecordReader]]
]:
    """The writer of each class, and the reader of each version by its header."""
    writers: dict[type[Record], RecordWriter] = {}
    readers: dict[bytes, tuple[type[Record], RecordReader]] = {}
    for kind in Record.__subclasses__():
        for path in versions_of(SCHEMAS / snake_from_camel(kind.__name__)):
            schema = json.loads(path.read_text())
            header = header_of(schema)
            writers[kind] = make_writer(schema, prefix=header)
            readers[header] = (kind, make_reader(schema))
    return writers, readers


def encode(record: Record) -> bytes:
    """The record in single-object encoding, by the newest schema of its class."""
    return _codecs()[0][type(record)](record)


def decode(octets: bytes) -> Record:
    """The record in `octets`, of any version; raises `Unreadable`."""
    found = _codecs()[1].get(octets[:HEADER_LENGTH])
    if found is None:
        if octets[:2] != MARKER or len(octets) < HEADER_LENGTH:
            raise Unreadable("not Avro single-object encoding")
        raise Unreadable(f"no schema has the fingerprint {octets[2:HEADER_LENGTH].hex()}")
    kind, read = found
    try:
        record, end = read(octets, HEADER_LENGTH)
    except (ValueError, IndexError, OverflowError) as error:
        raise Unreadable(f"the body is not a {kind.__name__}: {error}") from error
    if end != len(octets):
        words = "it ends too soon" if end > len(octets) else f"{len(octets) - end} octets after it"
        raise Unreadable(f"the body is not a {kind.__name__}: {words}")
    return record  # type: ignore[no-any-return]
