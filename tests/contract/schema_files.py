"""The schema files for tests: every version, records by strategy, plain JSON."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import fastavro
from hypothesis import strategies as st

from pipeline import records
from pipeline.avro.single_object import SCHEMAS, snake_from_camel, versions_of
from pipeline.records import Record

if TYPE_CHECKING:
    from pathlib import Path

TIME = {"type": "long", "logicalType": "timestamp-micros"}
AROUND_8192 = st.integers(8186, 8198)  # where a length begins to take three octets
#: One strategy for all fields of a type: Hypothesis looks once whether it is right.
SIMPLE: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text() | AROUND_8192.map("x".__mul__),  # UTF-8 has no lone surrogates
    "bytes": st.binary() | AROUND_8192.map(bytes),
    "int": st.integers(-(1 << 31), (1 << 31) - 1),
    "long": st.integers(-(1 << 63), (1 << 63) - 1),
    "boolean": st.booleans(),
    "null": st.none(),
}
TIMES = st.datetimes(timezones=st.just(UTC))
KINDS: list[type[Record]] = Record.__subclasses__()


@dataclass(frozen=True)
class Version:
    """One schema file."""

    record: str
    number: int
    path: Path

    @property
    def schema(self) -> dict[str, Any]:
        """What the file says, anew each time: fastavro writes into what it is given."""
        return json.loads(self.path.read_text())

    def __str__(self) -> str:
        return f"{self.record}/{self.number}"


def octets_from_int(value: int) -> bytes:
    """A long as fastavro writes it ("Binary Encoding", Avro 1.12)."""
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, "long", value)
    return stream.getvalue()


def versions_by_record(folder: Path = SCHEMAS) -> dict[str, list[Version]]:
    """Every record's versions, oldest first."""
    return {
        kind: [Version(kind, int(path.stem), path) for path in versions_of(folder / kind)]
        for kind in sorted(path.parent.name for path in folder.glob("*/1.avsc"))
    }


def all_versions() -> list[Version]:
    """Every version of every record."""
    return [version for versions in versions_by_record().values() for version in versions]


def newest(kind: type[Record]) -> dict[str, Any]:
    """The newest schema of a record class, anew each time."""
    schema: dict[str, Any] = json.loads(_newest_file(kind))
    return schema


@cache
def _newest_file(kind: type[Record]) -> str:
    return versions_by_record()[snake_from_camel(kind.__name__)][-1].path.read_text()


def records_of(kind: type[Record]) -> st.SearchStrategy[Any]:
    """Records of a class."""
    return _values(_newest_file(kind))


def values(schema: Any) -> st.SearchStrategy[Any]:
    """Values of a schema: the values that a field may hold, nested records as their class."""
    return _values(json.dumps(schema))


@cache
def _values(words: str) -> st.SearchStrategy[Any]:
    """One strategy for a schema: to make it, and to look whether it is right, takes long."""
    match schema := json.loads(words):
        case str():
            return SIMPLE[schema]
        case {"logicalType": "timestamp-micros"}:
            return TIMES
        case {"type": "array", "items": items}:
            return st.lists(values(items), max_size=4)
        case {"type": "record", "name": name, "fields": fields}:
            kind = getattr(records, name)
            return st.builds(kind, **{field["name"]: values(field["type"]) for field in fields})
        case list():
            return st.one_of([values(branch) for branch in schema])
    raise AssertionError(f"no strategy for {schema}")


def any_record() -> st.SearchStrategy[Record]:
    """Any record of any class."""
    return st.one_of([records_of(kind) for kind in KINDS])


def value_from_plain(schema: Any, plain: Any) -> Any:
    """A dict of Python values from an example: octets are hex, times ISO 8601 with a Z."""
    match schema:
        case {"type": "record", "fields": fields}:
            unknown = plain.keys() - {field["name"] for field in fields}
            assert not unknown, f"fields the schema has not: {sorted(unknown)}"
            return {f["name"]: value_from_plain(f["type"], plain[f["name"]]) for f in fields}
        case {"type": "array", "items": items}:
            return [value_from_plain(items, item) for item in plain]
        case {"logicalType": "timestamp-micros"}:
            assert plain.endswith("Z"), f"{plain} is not in UTC"
            return datetime.fromisoformat(plain)
        case ["null", inner]:
            return None if plain is None else value_from_plain(inner, plain)
        case "bytes":
            assert plain == plain.lower(), f"{plain} is not lower-case hex"
            return bytes.fromhex(plain)
    return plain
