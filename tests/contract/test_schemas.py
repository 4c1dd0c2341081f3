"""The schema files: readable, documented, never edited after release, equal to the classes."""

from __future__ import annotations

import json
import tomllib
from datetime import datetime
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

import msgspec
import pytest
from fastavro import parse_schema
from fastavro.schema import fingerprint, to_parsing_canonical_form

from pipeline import records
from pipeline.avro.single_object import MARKER, SCHEMAS, header_of, snake_from_camel
from pipeline.kafka import topics
from tests.contract.released import manifest, text_from_manifest
from tests.contract.schema_files import KINDS, TIME, all_versions, newest, versions_by_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.schema_files import Version

VERSIONS = [pytest.param(version, id=str(version)) for version in all_versions()]
NESTED = [
    records.Answered,
    records.ErasedRows,
    records.KeptStop,
    records.Scope,
    records.CustomReply,
    records.Number,
    records.ReplyPath,
    records.AccountTerms,
    records.Header,
]
EMPTY = 0xC15D213AA4D7A795  # "Schema Fingerprints"


def rabin(octets: bytes) -> int:
    """CRC-64-AVRO, the table algorithm of the specification ("Schema Fingerprints")."""
    table = []
    for entry in range(256):
        for _ in range(8):
            entry = (entry >> 1) ^ (EMPTY & -(entry & 1))
        table.append(entry)
    result = EMPTY
    for octet in octets:
        result = (result >> 8) ^ table[(result ^ octet) & 0xFF]
    return result


def canonical(schema: Any) -> str:
    """The "Parsing Canonical Form for Schemas", as far as our files need it."""
    match schema:
        case list():
            return f"[{','.join(map(canonical, schema))}]"
        case {"type": "record", "name": name, "fields": fields}:
            full = f"{schema['namespace']}.{name}" if "namespace" in schema else f"twoway.{name}"
            inside = ",".join(
                f'{{"name":{json.dumps(f["name"])},"type":{canonical(f["type"])}}}' for f in fields
            )
            return f'{{"name":{json.dumps(full)},"type":"record","fields":[{inside}]}}'
        case {"type": "array", "items": items}:
            return f'{{"type":"array","items":{canonical(items)}}}'
        case {"type": str(primitive)}:
            return json.dumps(primitive)
    return json.dumps(schema)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # Known answers of Avro's own test suite (share/test/data/schema-tests.txt).
        ('"null"', 0x63DD24E7CC258F8A),
        ('"boolean"', 0x9F42FC78A4D4F764),
        ('"int"', 0x7275D51A3F395C8F),
        ('"long"', 0xD054E14493F41DB7),
        ('"bytes"', 0x4FC016DAC3201965),
        ('"string"', 0x8F014872634503C7),
    ],
)
def test_the_fingerprint_has_the_known_answers(text: str, value: int) -> None:
    assert rabin(text.encode()) == value
    assert bytes.fromhex(fingerprint(text, "CRC-64-AVRO")) == value.to_bytes(8, "little")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_header_is_the_marker_and_the_fingerprint_lowest_octet_first(version: Version) -> None:
    form = canonical(version.schema)
    assert to_parsing_canonical_form(version.schema) == form
    assert header_of(version.schema) == MARKER + rabin(form.encode()).to_bytes(8, "little")


def test_no_two_versions_have_one_fingerprint() -> None:
    headers = [header_of(version.schema) for version in all_versions()]
    assert len(set(headers)) == len(headers)


def test_released_schema_files_are_as_they_were_released() -> None:
    written = (SCHEMAS / "released.toml").read_text()
    released = tomllib.loads(written)
    assert released == manifest()
    assert written == text_from_manifest(released)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_schema_parses_and_is_called_after_its_folder(version: Version) -> None:
    schema = version.schema
    parse_schema(schema, named_schemas={})
    assert snake_from_camel(schema["name"]) == version.record
    assert schema["namespace"] == "twoway"
    assert version.path.name == f"{version.number}.avsc"


def records_in(schema: Any) -> Iterator[dict[str, Any]]:
    """The record and every nested record."""
    match schema:
        case {"type": "record", "fields": fields}:
            yield schema
            for field in fields:
                yield from records_in(field["type"])
        case {"type": "array", "items": items}:
            yield from records_in(items)
        case list():
            for branch in schema:
                yield from records_in(branch)


def undocumented(schema: Any) -> list[str]:
    """The records and fields whose doc is not a sentence."""
    return [
        f"{record['name']}.{thing['name']}"
        for record in records_in(schema)
        for thing in [record, *record["fields"]]
        if not thing.get("doc", "").strip().endswith(".")
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_record_and_field_says_what_it_is(version: Version) -> None:
    assert undocumented(version.schema) == []


def test_a_field_without_a_doc_is_seen() -> None:
    schema = newest(records.DeadLetter)
    header = next(f for f in schema["fields"] if f["name"] == "headers")["type"]["items"]
    del header["fields"][0]["doc"]
    schema["fields"][0]["doc"] = ""
    assert undocumented(schema) == ["DeadLetter.dead_letter_id", "Header.name"]


def schema_from_hint(hint: Any) -> Any:
    """What a schema file must say for a field with the type hint `hint`."""
    simple: dict[Any, Any] = {str: {"string"}, bytes: {"bytes"}, bool: {"boolean"}}
    if hint in simple:
        return simple[hint]
    if hint is int:
        return {"int", "long"}
    if hint is datetime:
        return TIME
    if get_origin(hint) is list:
        return {"type": "array", "items": schema_from_hint(get_args(hint)[0])}
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return hint
    branches = get_args(hint)
    assert len(branches) == 2
    assert branches[1] is type(None), f"{hint} is no type of a field"
    return ["null", schema_from_hint(branches[0])]


def differences(kind: type[msgspec.Struct], schema: dict[str, Any]) -> list[str]:
    """The differences between a class and its record: name, fields, order, types, defaults."""
    found = [] if kind.__name__ == schema["name"] else [f"{kind.__name__}: named {schema['name']}"]
    ours = [field.name for field in msgspec.structs.fields(kind)]
    theirs = [field["name"] for field in schema["fields"]]
    if ours != theirs:
        return [*found, f"{kind.__name__}: {ours} are not {theirs}"]
    hints = get_type_hints(kind)
    for field, said in zip(msgspec.structs.fields(kind), schema["fields"], strict=True):
        if not agrees(schema_from_hint(hints[field.name]), said["type"]):
            found.append(f"{kind.__name__}.{field.name}: {hints[field.name]} is not {said['type']}")
        if field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
        else:
            default = field.default
        if default != said.get("default", msgspec.NODEFAULT):
            found.append(f"{kind.__name__}.{field.name}: default {default!r}")
    return found


def agrees(wanted: Any, said: Any) -> bool:
    """Whether the type in a schema is the wanted type."""
    match wanted:
        case set():
            return isinstance(said, str) and said in wanted
        case list():
            return isinstance(said, list) and said[0] == wanted[0] and agrees(wanted[1], said[1])
        case {"type": "array", "items": items}:
            return (
                isinstance(said, dict) and said["type"] == "array" and agrees(items, said["items"])
            )
        case type():
            return isinstance(said, dict) and differences(wanted, said) == []
    return bool(said == wanted)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_class_has_the_fields_of_its_newest_schema(kind: type[records.Record]) -> None:
    assert differences(kind, newest(kind)) == []


def test_every_schema_has_its_class_and_every_class_its_schema() -> None:
    assert sorted(snake_from_camel(kind.__name__) for kind in KINDS) == list(versions_by_record())
    nested = {
        record["name"]
        for version in all_versions()
        for record in list(records_in(version.schema))[1:]
    }
    assert nested == {kind.__name__ for kind in NESTED}


class Clock(records.Record.__base__, frozen=True, kw_only=True):  # type: ignore[misc, name-defined]
    """A class that differs from the schema in order, type and default."""

    origin: str = ""
    time: str


def test_a_class_that_differs_is_seen() -> None:
    assert differences(Clock, newest(records.Clock)) == [
        "Clock: ['origin', 'time'] are not ['time', 'origin']"
    ]
    schema = newest(records.Clock)
    schema["fields"].reverse()
    assert [line.partition(":")[0] for line in differences(Clock, schema)] == [
        "Clock.origin",
        "Clock.time",
    ]


def test_every_topic_is_named_in_the_code_and_the_file() -> None:
    named = {
        value for name, value in vars(topics).items() if name.isupper() and isinstance(value, str)
    }
    assert named == set(topics.topics())


def test_every_record_has_the_topic_of_its_name() -> None:
    of_records = {name: topic.record for name, topic in topics.topics().items() if topic.record}
    assert of_records == {name.replace("_", "-"): name for name in versions_by_record()}


@pytest.mark.parametrize("name", topics.topics())
def test_a_topic_is_keyed_and_kept_as_the_contract_says(name: str) -> None:
    """The key is the handset, with these exceptions; mo-raw is kept for the horizon at least."""
    topic = topics.topics()[name]
    exceptions = {
        "numbers": "partition",
        "clock": "partition",
        "dead-letter": "none",
        "dead-letter-retry": "none",
        "report-access": "none",
        "erasure": "suppression",
        "account-charge": "account",
        "account-credit": "account",
        "account-entry": "account",
        "account-notice": "account",
        "account-release": "home",
    }
    assert topic.compacted == name.endswith("-changelog")
    assert topic.key == exceptions.get(name, "partition" if topic.compacted else "handset")
    assert bool(topic.record) != topic.compacted
