"""Readers read every older version, and the checker fails on every kind of incompatible change."""

from __future__ import annotations

import copy
import io
from itertools import combinations
from typing import TYPE_CHECKING, Any

import fastavro
import pytest
from fastavro.schema import UnknownType
from hypothesis import given
from hypothesis import strategies as st

from pipeline import records
from pipeline.avro import single_object
from pipeline.records import MoMessage, MtRequest, Numbers
from tests.contract.compatibility import problems
from tests.contract.schema_files import newest, values, versions_by_record

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("record", versions_by_record())
def test_versions_are_numbered_from_1_without_a_hole(record: str) -> None:
    numbers = [version.number for version in versions_by_record()[record]]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("record", versions_by_record())
def test_every_version_takes_what_an_older_one_wrote(record: str) -> None:
    for older, newer in combinations(versions_by_record()[record], 2):
        assert problems(older.schema, newer.schema) == [], f"{older} to {newer}"


def _field(schema: dict[str, Any], name: str) -> dict[str, Any]:
    return next(field for field in schema["fields"] if field["name"] == name)


def _remove(schema: dict[str, Any]) -> None:
    schema["fields"].remove(_field(schema, "text"))


def _add_without_default(schema: dict[str, Any]) -> None:
    schema["fields"].append({"name": "colour", "type": "string", "doc": "Its colour."})


def _change_type(schema: dict[str, Any]) -> None:
    _field(schema, "parts_total")["type"] = "long"  # Avro would promote it; our readers do not


def _drop_logical_type(schema: dict[str, Any]) -> None:
    _field(schema, "received_at")["type"] = "long"  # the fingerprint would not tell


def _change_items(schema: dict[str, Any]) -> None:
    _field(schema, "parts_missing")["type"]["items"] = "string"


def _rename_field(schema: dict[str, Any]) -> None:
    _field(schema, "text")["name"] = "words"


def _rename_record(schema: dict[str, Any]) -> None:
    schema["name"] = "MoLetter"


def _rename_by_alias(schema: dict[str, Any]) -> None:
    _field(schema, "text").update(name="words", aliases=["text"])


def _make_nullable(schema: dict[str, Any]) -> None:
    _field(schema, "text")["type"] = ["null", "string"]


BREAKAGES = [
    (_remove, ["MoMessage.text: is gone"]),
    (_add_without_default, ["MoMessage.colour: is new and has no default"]),
    (_change_type, ["MoMessage.parts_total: was int, is long"]),
    (_drop_logical_type, ["MoMessage.received_at: was"]),
    (_change_items, ["MoMessage.parts_missing[]: was int, is string"]),
    (_rename_field, ["MoMessage.text: is gone", "MoMessage.words: is new and has no default"]),
    (_rename_by_alias, ["MoMessage.text: is gone", "MoMessage.words: is new and has no default"]),
    (_rename_record, ["MoLetter: name was MoMessage, is MoLetter"]),
    (_make_nullable, ["MoMessage.text: was string, is ['null', 'string']"]),
]


@pytest.mark.parametrize(("break_it", "words"), BREAKAGES)
def test_a_broken_copy_is_refused(
    break_it: Callable[[dict[str, Any]], None], words: list[str]
) -> None:
    broken = newest(MoMessage)
    break_it(broken)
    found = problems(newest(MoMessage), broken)
    assert len(found) == len(words)
    assert all(line.startswith(start) for line, start in zip(found, words, strict=True))


def test_a_changed_default_and_a_breakage_deep_inside_are_refused() -> None:
    other = newest(MtRequest)
    _field(other, "confirms_opt_out")["default"] = True
    assert problems(newest(MtRequest), other) == [
        "MtRequest.confirms_opt_out: its default is another"
    ]
    deep = newest(Numbers)
    number = _field(deep, "numbers")["type"]["items"]
    number["fields"].append({"name": "colour", "type": "string"})
    assert problems(newest(Numbers), deep) == [
        "Numbers.numbers[].colour: is new and has no default"
    ]


def test_an_addition_with_a_default_and_other_words_are_taken() -> None:
    newer = newest(MoMessage)
    newer["fields"].insert(3, {"name": "colour", "type": "string", "default": ""})
    newer["doc"] = _field(newer, "text")["doc"] = "Other words."
    assert problems(newest(MoMessage), newer) == []


def _without(schema: Any, names: set[str]) -> Any:
    """An older version: `schema` before the fields in `names` were added."""
    older = copy.deepcopy(schema)
    older["fields"] = [field for field in older["fields"] if field["name"] not in names]
    return older


@pytest.mark.usefixtures("form")
@given(data=st.data())
@pytest.mark.parametrize(
    ("kind", "added"),
    [
        pytest.param(MtRequest, {"sender_id", "confirms_opt_out", "not_after"}, id="MtRequest"),
        pytest.param(records.ConsentChange, {"actor", "confirmation_due_at"}, id="ConsentChange"),
        pytest.param(records.MtRejection, {"command_id", "caused_at", "scope"}, id="MtRejection"),
    ],
)
def test_a_reader_of_an_older_version_gives_what_fastavro_resolves(
    kind: type[records.Record], added: set[str], data: st.DataObject
) -> None:
    """Added fields take their default ("Schema Resolution"); fastavro is the reference."""
    older, newer = _without(newest(kind), added), newest(kind)
    written = data.draw(values(newer))
    body = io.BytesIO()
    value = {field["name"]: getattr(written, field["name"]) for field in older["fields"]}
    writers = fastavro.parse_schema(older, named_schemas={})
    fastavro.schemaless_writer(body, writers, value)
    record, end = single_object.make_reader(older)(body.getvalue(), 0)
    body.seek(0)
    readers = fastavro.parse_schema(newer, named_schemas={})
    resolved = fastavro.schemaless_reader(body, writers, readers)
    assert end == len(body.getvalue())
    assert record == kind(**resolved)


def test_a_file_that_is_no_schema_is_refused() -> None:
    broken = newest(MoMessage)
    _field(broken, "text")["type"] = "strnig"
    with pytest.raises(UnknownType):
        fastavro.parse_schema(broken, named_schemas={})
