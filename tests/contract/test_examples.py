"""The examples of every record are valid, and encode and decode to themselves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from fastavro import parse_schema
from fastavro.validation import validate

from pipeline import records
from pipeline.avro.single_object import SCHEMAS, decode, encode, snake_from_camel
from tests.contract.schema_files import KINDS, all_versions, newest, value_from_plain

if TYPE_CHECKING:
    from enum import StrEnum
    from pathlib import Path

FOLDER = SCHEMAS / "examples"
KIND_BY_RECORD = {snake_from_camel(kind.__name__): kind for kind in KINDS}
EXAMPLES = [
    pytest.param(path, id=str(path.relative_to(FOLDER).with_suffix("")))
    for path in sorted(FOLDER.glob("*/*/*.json"))
]
# Values that must all be shown by an example, where the schema has a closed list of them.
CLOSED: dict[tuple[str, str], type[StrEnum]] = {
    ("mo_raw", "source"): records.Source,
    ("consent_change", "rule"): records.ConsentRule,
    ("consent_change", "scope_kind"): records.ScopeKind,
    ("consent_change", "state"): records.ConsentState,
    ("consent_request", "action"): records.ConsentAction,
    ("mt_command", "purpose"): records.Purpose,
}
# Values that an example may show, and no other.
ALLOWED: dict[tuple[str, str], type[StrEnum]] = CLOSED | {
    ("consent_change", "gateway_state"): records.ConsentState,
    ("mt_rejection", "rule"): records.GateRule,
    ("mt_result", "outcome"): records.Outcome,
    ("dead_letter", "stage"): records.Stage,
    ("dead_letter", "reason"): records.Reason,
}


def schema_of(path: Path) -> dict[str, Any]:
    """The schema of an example: examples/<record>/<n>/ belongs to <record>/<n>.avsc."""
    schema: dict[str, Any] = json.loads(
        (SCHEMAS / path.parent.parent.name / f"{path.parent.name}.avsc").read_text()
    )
    return schema


@pytest.mark.parametrize("path", EXAMPLES)
def test_an_example_is_valid_and_comes_back_as_it_was(path: Path) -> None:
    schema, plain = schema_of(path), json.loads(path.read_text())
    value = value_from_plain(schema, plain)
    assert validate(value, parse_schema(schema, named_schemas={}), strict=True)
    record = msgspec.convert(value, KIND_BY_RECORD[path.parent.parent.name])
    assert decode(encode(record)) == record


@pytest.mark.parametrize("path", EXAMPLES)
def test_an_example_is_written_as_the_schema_orders_it(path: Path) -> None:
    """Examples are written in one way, so that two differ only where the records do."""
    plain = json.loads(path.read_text())
    assert list(plain) == [field["name"] for field in schema_of(path)["fields"]]
    assert path.read_text() == json.dumps(plain, indent=1, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("version", all_versions(), ids=str)
def test_every_version_has_examples(version: Any) -> None:
    assert list((FOLDER / version.record / str(version.number)).glob("*.json"))


def shown(record: str, field: str) -> set[str]:
    """The values of a field in all examples of a record."""
    return {json.loads(path.read_text())[field] for path in FOLDER.glob(f"{record}/*/*.json")}


@pytest.mark.parametrize(("record", "field"), CLOSED)
def test_every_value_of_a_closed_list_has_an_example(record: str, field: str) -> None:
    assert shown(record, field) == set(CLOSED[record, field])


@pytest.mark.parametrize(("record", "field"), ALLOWED)
def test_examples_show_no_value_beyond_the_list(record: str, field: str) -> None:
    assert shown(record, field) <= set(ALLOWED[record, field])


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_optional_field_is_shown_with_a_value_and_without(kind: type[records.Record]) -> None:
    name = snake_from_camel(kind.__name__)
    for field in newest(kind)["fields"]:
        if isinstance(field["type"], list):
            values = [
                json.loads(p.read_text()).get(field["name"])
                for p in FOLDER.glob(f"{name}/*/*.json")
            ]
            assert None in values, field["name"]
            assert any(value is not None for value in values), field["name"]


@pytest.mark.parametrize(
    "breakage",
    [{"received_at": "2008-08-06 09:43:51"}, {"octets": "4G"}, {"octets": "4A"}, {"colour": "red"}],
    ids=json.dumps,
)
def test_a_broken_example_is_refused(breakage: dict[str, str]) -> None:
    path = FOLDER / "mo_raw" / "1" / "http-get.json"
    with pytest.raises((AssertionError, ValueError)):
        value_from_plain(schema_of(path), json.loads(path.read_text()) | breakage)
