"""The descriptions for other programs: fresh, valid by their own standards, and of every topic."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from openapi_spec_validator.validation.exceptions import OpenAPIValidationError
from referencing.exceptions import Unresolvable

from ingest.http.openapi.document import DOCUMENT
from pipeline.kafka import readers
from pipeline.kafka.topics import topics
from tests.contract.asyncapi import PROCESS_OF, PROCESSES, asyncapi_document
from tests.contract.compose_file import loaded
from tests.contract.documents import DOCS, yaml_page
from tests.contract.schema_files import all_versions
from tests.support.installing import installed_by_npm

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NPM = DOCS.parent / "tests/contract/npm"


@pytest.mark.parametrize(
    ("name", "document"),
    [
        pytest.param("asyncapi.yaml", asyncapi_document, id="asyncapi"),
        pytest.param("openapi.yaml", lambda: DOCUMENT, id="openapi"),
    ],
)
def test_a_description_is_what_the_code_says(name: str, document: Callable[[], Any]) -> None:
    """`python -m tests.contract.documents` writes both."""
    written = (DOCS / name).read_text()
    assert written == yaml_page(document())
    assert loaded(DOCS / name) == document()


# OpenAPI


def test_the_description_of_http_is_openapi() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()


@pytest.mark.parametrize(
    "breakage",
    [
        lambda document: document["paths"]["/mt"]["post"].update(responses={"OK": {}}),
        lambda document: document["paths"]["/mt"]["post"].update(operationId="getMt"),
        lambda document: document["components"]["schemas"].pop("Problem"),
        lambda document: document["paths"]["/mt/{request_id}"].pop("parameters"),
    ],
    ids=["status", "operation-twice", "reference", "path-parameter"],
)
def test_a_broken_description_of_http_is_found(breakage: Callable[[Any], Any]) -> None:
    broken = copy.deepcopy(DOCUMENT)
    breakage(broken)
    with pytest.raises((OpenAPIValidationError, Unresolvable)):
        OpenAPIV31SpecValidator(broken).validate()


# AsyncAPI


@pytest.fixture(scope="module")
def asyncapi_schema() -> Any:
    """The standard's own schema, from the npm package of those who write it."""
    schemas: Path = installed_by_npm("asyncapi-specs", NPM) / "node_modules/@asyncapi/specs/schemas"
    return json.loads((schemas / "3.0.0.json").read_text())


def faults(schema: Any, document: Any) -> list[str]:
    """What the standard's schema has against a document."""
    return [
        error.message[:300] for error in jsonschema.Draft7Validator(schema).iter_errors(document)
    ]


def with_schemas_in_place(document: Any) -> Any:
    """The document with each schema file in place of the reference to it, as its readers see it."""
    for message in document["components"]["messages"].values():
        file = DOCS / message["payload"]["schema"]["$ref"]
        message["payload"]["schema"] = json.loads(file.read_text())
    return document


def test_the_description_of_the_topics_is_asyncapi(asyncapi_schema: Any) -> None:
    assert faults(asyncapi_schema, with_schemas_in_place(asyncapi_document())) == []


@pytest.mark.parametrize(
    "breakage",
    [
        lambda document: document["channels"]["mo-raw"].update(adress="mo-raw"),
        lambda document: document["operations"]["store-reads-mo-raw"].update(action="read"),
        lambda document: document["components"]["messages"]["mo_raw.1"]["payload"].update(
            schema={"type": "no-type"}
        ),
        lambda document: document.pop("info"),
    ],
    ids=["field", "action", "avro", "info"],
)
def test_a_broken_description_of_the_topics_is_found(
    breakage: Callable[[Any], Any], asyncapi_schema: Any
) -> None:
    broken = with_schemas_in_place(asyncapi_document())
    breakage(broken)
    assert faults(asyncapi_schema, broken)


def references(value: Any) -> set[str]:
    """Every reference inside the document."""
    match value:
        case {"$ref": str(target)}:
            return {target}
        case dict():
            return {each for item in value.values() for each in references(item)}
        case list():
            return {each for item in value for each in references(item)}
    return set()


def test_every_reference_leads_somewhere() -> None:
    document = asyncapi_document()
    for target in references(document):
        if not target.startswith("#/"):
            assert (DOCS / target).is_file()
            continue
        found = document
        for name in target.removeprefix("#/").split("/"):
            found = found[name]


def test_every_topic_and_every_version_of_its_record_is_described() -> None:
    document = asyncapi_document()
    assert (
        set(document["channels"])
        == {name for name, topic in topics().items() if topic.record}
        == set(topics()) - readers.CHANGELOGS
    )
    assert set(document["components"]["messages"]) == {
        f"{version.record}.{version.number}" for version in all_versions()
    }
    assert all(message["examples"] for message in document["components"]["messages"].values())


def test_every_topic_is_written_and_read_by_somebody() -> None:
    operations = asyncapi_document()["operations"]
    for action in ("send", "receive"):
        seen = {
            each["channel"]["$ref"].rpartition("/")[2]
            for each in operations.values()
            if each["action"] == action
        }
        assert seen == set(topics()) - readers.CHANGELOGS
    assert set(PROCESSES) == {*PROCESS_OF.values(), *readers.WRITTEN_BY}
