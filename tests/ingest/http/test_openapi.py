"""The description against the running service: every operation, and every answer."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import jsonschema
import pytest

from ingest.http.mt.status import StatusIndex
from ingest.http.openapi.document import DOCUMENT
from pipeline.avro.single_object import encode
from pipeline.delivery.forms import event_of
from pipeline.records import ConsentChange, GateRule, MoMessage, MoPart, MtRejection, MtState
from pipeline.settings import Settings
from tests.ingest.http.mt.test_status import command, rejection, request, result, state
from tests.ingest.http.support import FakePublisher, Reply, running
from tests.store.samples import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.records import Record
    from tests.ingest.http.support import Running

METHODS = ("get", "post", "head", "put", "delete", "patch", "options", "trace")


def described() -> dict[str, set[str]]:
    """Path and methods of the document."""
    return {
        path: {name.upper() for name in item if name in METHODS}
        for path, item in DOCUMENT["paths"].items()
    }


def operations() -> Iterator[tuple[str, str, Any]]:
    """Path, method and operation of each."""
    for path, item in DOCUMENT["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def resolved(part: Any) -> Any:
    """A part of the document; a reference is followed."""
    if "$ref" not in part:
        return part
    found: Any = DOCUMENT
    for name in part["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return found


def refuse_undescribed(operation: Any, reply: Reply, *, has_body: bool) -> None:
    """Fail where status, headers, type or body of an answer are not as described."""
    response = resolved(operation["responses"][str(reply.status)])
    kind = reply.headers["content-type"].partition(";")[0]
    content = response["content"][kind]
    assert {name.lower() for name in response.get("headers", {})} <= set(reply.headers)
    if not has_body:
        return
    value = json.loads(reply.body) if kind.endswith("json") else reply.body.decode()
    refuse_unlike(content["schema"], value)
    if kind == "application/problem+json":
        assert value["status"] == reply.status


def refuse_unlike(schema: Any, value: Any) -> None:
    """Fail where a value is not as a schema of the document says."""
    whole = {"components": DOCUMENT["components"], **schema}
    jsonschema.validate(value, whole, cls=jsonschema.Draft202012Validator)


def examples_of(content: Any) -> list[Any]:
    """The values of a media type's examples."""
    shown = [each["value"] for each in content.get("examples", {}).values()]
    return shown + ([content["example"]] if "example" in content else [])


def calls() -> Iterator[Any]:
    """Each operation with each of its examples: target, headers, body, type."""
    for path, method, operation in operations():
        given = DOCUMENT["paths"][path].get("parameters", []) + operation.get("parameters", [])
        shown = [each for each in given if "example" in each]
        query = urlencode({e["name"]: e["example"] for e in shown if e["in"] == "query"})
        headers = [f"{e['name']}: {e['example']}" for e in shown if e["in"] == "header"]
        target = path
        for each in shown:
            if each["in"] == "path":
                target = target.replace(f"{{{each['name']}}}", quote(each["example"]))
        target += f"?{query}" if query else ""
        bodies = [
            (kind, example)
            for kind, content in operation.get("requestBody", {}).get("content", {}).items()
            for example in examples_of(content)
        ]
        for number, (kind, example) in enumerate(bodies or [("", None)]):
            name = f"{operation['operationId']}-{number}"
            yield pytest.param(method, target, headers, kind, example, operation, id=name)


def octets_of(kind: str, example: Any) -> bytes:
    """The body of a request with an example."""
    if kind == "application/json":
        return json.dumps(example).encode()
    if kind == "application/x-www-form-urlencoded":
        return urlencode(example).encode()
    return str(example or "").encode()


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


@pytest.mark.parametrize(
    ("method", "target", "headers", "kind", "example", "operation"), list(calls())
)
async def test_an_operation_called_by_its_example_answers_as_described(
    method: str, target: str, headers: list[str], kind: str, example: Any, operation: Any
) -> None:
    def ask_before(ingest: Any) -> None:
        before = request(request_id="order-4711")
        ingest.index.enter(before, encode(before))

    async with running(change=ask_before if "/mt/" in target else lambda _: None) as ingest:
        if method == "post":
            reply = await ingest.post(target, octets_of(kind, example), *headers, content_type=kind)
        else:
            reply = await ingest.get(target, *headers, method=method.upper())
    assert 200 <= reply.status < 300
    refuse_undescribed(operation, reply, has_body=method != "head")
    is_taken = operation["operationId"].startswith("take") or kind == "application/json"
    assert len(ingest.publisher.published) == is_taken


@pytest.mark.parametrize(
    "records",
    [
        pytest.param([request()], id="pending"),
        pytest.param([state("waiting")], id="pending, known by its state alone"),
        pytest.param([request(), command()], id="command"),
        pytest.param([request(), command(), state("waiting")], id="command that waits"),
        pytest.param([request(), rejection(GateRule.OPTED_OUT)], id="rejection"),
        pytest.param([request(), command(), result("submitted")], id="result"),
        pytest.param([request(), command(), state("delivered")], id="result by its state"),
    ],
)
async def test_each_state_of_a_request_is_as_described(records: list[Record]) -> None:
    def enter(ingest: Any) -> None:
        for record in records:
            ingest.index.enter(record, encode(record))

    async with running(change=enter) as ingest:
        reply = await ingest.get("/mt/k")
    refuse_undescribed(DOCUMENT["paths"]["/mt/{request_id}"]["get"], reply, has_body=True)


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
                    refuse_undescribed(operation, reply, has_body=method != "HEAD")


TOKENS = Settings(http_port=0, tokens="a-token")
BASIC = Settings(http_port=0, basic_auth="gate:one", trusted_proxies="127.0.0.1")
JSON = ("Content-Type: application/json",)


async def wrong_token(ingest: Running) -> Reply:
    return await ingest.post("/t/b-token/mt", b"{}", *JSON, content_type="")


async def reused(ingest: Running) -> Reply:
    key = ("Idempotency-Key: k", *JSON)
    await ingest.post("/mt", b'{"to":"1","text":"x"}', *key, content_type="")
    return await ingest.post("/mt", b'{"to":"1","text":"y"}', *key, content_type="")


async def not_chunked(ingest: Running) -> Reply:
    return await ingest.exchange(b"POST /mt HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n")


REFUSALS: list[tuple[int, Callable[[Running], Any], Settings | None]] = [
    (400, lambda ingest: ingest.post("/mt", b"{}"), None),
    (400, lambda ingest: ingest.exchange(b"POST /mt HTTP/1.1\r\na b: c\r\n\r\n"), None),
    (401, lambda ingest: ingest.post("/mt", b"{}", "X-Forwarded-For: 192.0.2.1"), BASIC),
    (403, wrong_token, TOKENS),
    (405, lambda ingest: ingest.get("/mt"), None),
    (409, reused, None),
    (413, lambda ingest: ingest.post("/mt", b"x" * 70_000), None),
    (414, lambda ingest: ingest.post("/mt?" + "x" * 70_000, b"{}"), None),
    (415, lambda ingest: ingest.post("/mt", b"{}", "Content-Encoding: gzip"), None),
    (431, lambda ingest: ingest.post("/mt", b"{}", "A: " + "x" * 70_000), None),
    (501, not_chunked, None),
]


@pytest.mark.parametrize(
    ("status", "call", "settings"), REFUSALS, ids=[str(each[0]) for each in REFUSALS]
)
async def test_a_refusal_is_problem_details(
    status: int, call: Callable[[Running], Any], settings: Settings | None
) -> None:
    async with running(settings) as ingest:
        reply = await call(ingest)
    assert reply.status == status
    refuse_undescribed(DOCUMENT["paths"]["/mt"]["post"], reply, has_body=True)
    assert reply.headers["content-type"] == "application/problem+json"


async def test_a_503_is_problem_details_and_says_when_to_ask_again() -> None:
    async with running(publisher=FakePublisher(acknowledges=False)) as ingest:
        replies = [
            await ingest.post("/mt", b'{"to":"1","text":"x"}', content_type="application/json"),
            await ingest.get("/mo/http?from=1&to=2"),
            await ingest.get("/readyz"),
        ]
    for path, method, reply in zip(
        ("/mt", "/mo/http", "/readyz"), ("post", "get", "get"), replies, strict=True
    ):
        assert reply.status == 503
        refuse_undescribed(DOCUMENT["paths"][path][method], reply, has_body=True)


def test_an_answer_that_is_not_described_is_found() -> None:
    operation = DOCUMENT["paths"]["/mt"]["post"]
    kind = {"content-type": "application/problem+json"}
    fitting = Reply(409, kind, b'{"title": "Conflict", "status": 409, "detail": "x"}')
    refuse_undescribed(operation, fitting, has_body=True)
    for reply in (
        Reply(418, kind, fitting.body),
        Reply(409, {"content-type": "text/plain"}, b"x"),
        Reply(409, kind, b'{"title": "Conflict", "status": 400, "detail": "x"}'),
        Reply(409, kind, b'{"title": "Conflict"}'),
        Reply(503, kind, b'{"title": "No", "status": 503, "detail": "x"}'),  # no Retry-After
    ):
        with pytest.raises((AssertionError, KeyError, jsonschema.ValidationError)):
            refuse_undescribed(operation, reply, has_body=True)


def test_every_operation_has_a_name_a_tag_and_says_what_it_does() -> None:
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(ids)) == len(ids)
    known = {tag["name"] for tag in DOCUMENT["tags"]}
    for path, _, operation in operations():
        assert operation["summary"]
        assert set(operation["tags"]) <= known
        assert all(resolved(each)["description"] for each in operation["responses"].values())
        item = DOCUMENT["paths"][path]
        named = {parameter["name"] for parameter in item.get("parameters", [])}
        assert set(re.findall(r"\{(\w+)\}", path)) == named


def contents(part: Any) -> Iterator[Any]:
    """Every media type with a schema, and every parameter and header, of a part."""
    if isinstance(part, dict):
        if "schema" in part:
            yield part
        for item in part.values():
            yield from contents(item)
    elif isinstance(part, list):
        for item in part:
            yield from contents(item)


def test_every_example_is_as_its_schema_says() -> None:
    shown = [
        (content["schema"], example)
        for content in contents([DOCUMENT["paths"], DOCUMENT["components"]["responses"]])
        for example in examples_of(content)
    ]
    assert len(shown) > 50
    for schema, example in shown:
        refuse_unlike(schema, example)


def test_the_state_of_a_command_is_described_as_it_is_shown() -> None:
    index = StatusIndex()
    given = state("waiting")
    index.enter(given, encode(given))
    status = index.status_of("k")
    assert status is not None
    assert set(DOCUMENT["components"]["schemas"]["MtState"]["properties"]) == set(
        status["mt_state"]
    )


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
