"""The description against the service."""

from __future__ import annotations

import json
import re

from ingest.http.openapi.document import DOCUMENT
from ingest.http.status import StatusIndex
from pipeline.avro.single_object import encode
from pipeline.delivery.forms import event_of
from pipeline.records import ConsentChange, MoMessage, MoPart, MtRejection, MtState
from tests.ingest.http.support import running
from tests.ingest.http.test_status import state
from tests.store.samples import SAMPLES


def described() -> dict[str, set[str]]:
    """Path and methods of the document."""
    methods = {"get", "post", "head", "put", "delete", "patch", "options", "trace"}
    return {
        path: {name.upper() for name in item if name in methods}
        for path, item in DOCUMENT["paths"].items()
    }


async def test_every_route_is_described_and_no_other() -> None:
    async with running() as ingest:
        routes = {route.template: set(route.methods) for route in ingest.ingest.service.routes}
    assert described() == routes


async def test_it_is_served_as_it_is() -> None:
    async with running() as ingest:
        reply = await ingest.get("/openapi.json")
    assert reply.headers["content-type"] == "application/json"
    assert json.loads(reply.body) == DOCUMENT
    assert re.fullmatch(r"3\.1\.\d+", DOCUMENT["openapi"])


async def test_what_is_answered_is_described() -> None:
    async with running() as ingest:
        for path, item in DOCUMENT["paths"].items():
            target = path.replace("{request_id}", "k")
            for method in ("GET", "POST", "HEAD"):
                for body in (b"", b"from=1", b"from=1&to=2", b'{"to":"1","text":"x"}'):
                    reply = await ingest.exchange(
                        f"{method} {target} HTTP/1.1\r\nContent-Length: {len(body)}\r\n"
                        f"Connection: close\r\n\r\n".encode()
                        + body,
                        has_body=method != "HEAD",
                    )
                    operation = item.get(method.lower(), item.get("get") or item.get("post"))
                    response = operation["responses"][str(reply.status)]
                    types = response.get("content", {})
                    assert reply.headers["content-type"].partition(";")[0] in types


def test_every_operation_says_what_it_does_and_each_path_parameter_is_given() -> None:
    for path, item in DOCUMENT["paths"].items():
        named = {parameter["name"] for parameter in item.get("parameters", [])}
        assert set(re.findall(r"\{(\w+)\}", path)) == named
        for method in ("get", "post", "head"):
            if method in item:
                assert item[method]["summary"]
                assert all(
                    response["description"] for response in item[method]["responses"].values()
                )


def test_the_state_of_a_command_is_described_as_it_is_shown() -> None:
    index = StatusIndex()
    given = state("waiting")
    index.enter(given, encode(given))
    status = index.status_of("k")
    assert status is not None
    answer = DOCUMENT["paths"]["/mt/{request_id}"]["get"]["responses"]["200"]
    described = answer["content"]["application/json"]["schema"]["properties"]["mt_state"]
    assert set(described["properties"]) == set(status["mt_state"])


RECORDS = {
    "message.received": MoMessage,
    "part.received": MoPart,
    "consent.changed": ConsentChange,
    "mt.result": MtState,
    "mt.rejected": MtRejection,
}


def test_every_event_that_is_posted_is_described_with_all_its_fields() -> None:
    samples = {type(each): each for each in SAMPLES}
    assert set(DOCUMENT["webhooks"]) == set(RECORDS)
    for name, kind in RECORDS.items():
        event = json.loads(event_of(samples[kind]))
        assert event["type"] == name
        body = DOCUMENT["webhooks"][name]["post"]["requestBody"]["content"]["application/json"]
        schema, example = body["schema"], body["example"]
        assert schema["properties"]["type"] == {"const": name}
        described = schema["properties"]["data"]["properties"]
        assert list(described) == list(event["data"]) == list(example["data"])
        assert set(example) == set(event) == set(schema["required"])
        for field, value in (*event["data"].items(), *example["data"].items()):
            assert fits(value, described[field]), (name, field)


def fits(value: object, schema: dict[str, object]) -> bool:
    """Whether a value has the type that its schema says."""
    kinds = {"string": str, "integer": int, "boolean": bool, "null": type(None), "object": dict}
    if "anyOf" in schema:
        return any(fits(value, each) for each in schema["anyOf"])  # type: ignore[attr-defined]
    if schema["type"] == "array":
        items = schema["items"]
        return isinstance(value, list) and all(fits(each, items) for each in value)  # type: ignore[arg-type]
    return isinstance(value, kinds[str(schema["type"])])
