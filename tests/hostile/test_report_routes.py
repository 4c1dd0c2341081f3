"""Hostile texts in every column and in every parameter, over every route of the report.

No text becomes an element, a script, a formula or a change of the direction of writing, and no
parameter makes a route fail.
"""

from __future__ import annotations

import csv
import io
import itertools
import zipfile
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pyarrow.parquet as pq
import pytest

from pipeline.records import DeadLetter, Header, MoDeliveryResult, MtRejection, MtResult
from pipeline.settings import Settings
from pipeline.store.clickhouse.database import Database
from pipeline.store.report.lists.filters import ALL
from pipeline.store.report.lists.listings import LISTINGS
from tests.store.report.asked_once import asked_once
from tests.store.report.scene import (
    ALICE,
    NOON,
    change,
    changed,
    command,
    message,
    state,
    store_scene,
)
from tests.store.report.serving_report import Running, form_token_of
from tests.support.migrated import migrated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.store.report.plain_client import PlainClient

HOSTILE = {
    "element": '"><script>alert(1)</script><img src=x onerror=alert(2)><svg onload=alert(3)>',
    "attribute": "' onmouseover='alert(4)' x='\" autofocus onfocus=\"alert(5)",
    "link": "javascript:alert(6)",
    "template": "{{ 7 * 7 }}{% raw %}${7*7}<%= 7*7 %>",
    "formula": '=cmd|"/c calc"!A1',
    "formulas": "@SUM(1+1)\t=2+5;+3|-1",
    "override": "abc\u202egnp.exe\u202c\u2066x\u2069\u200b",
    "nul": "a\0b\x1b[2J\x07\x9b2J",
    "long": "<b>" + "\U0001f469\u200d\U0001f467 " * 2_000 + "x" * 10_000,
    "right to left": "مرحبا <i>123</i> שלום",
    "lone": "half \ufffe\uffff of it",
}
#: Characters that never stand in a page or a sheet as they are.
ACTING = set("\0\x07\x1b\x9b\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
OURS = {
    "a", "aside", "b", "bdi", "body", "br", "button", "circle", "code", "datalist", "dd", "desc",
    "details", "div", "dl", "dt", "em", "form", "h1", "h2", "h3", "head", "header", "html",
    "input", "label", "li", "line", "link", "main", "meta", "nav", "ol", "option", "p", "pre",
    "progress", "rect", "script", "section", "select", "span", "strong", "summary", "svg", "table",
    "tbody", "td", "text", "th", "thead", "time", "title", "tr", "ul",
}  # fmt: skip


def records() -> Iterator[Any]:
    """Each hostile text, in every column that somebody else may fill."""
    for number, text in enumerate(HOSTILE.values()):
        id = f"{number:x}"
        short = text[:300]
        yield message(
            id, ALICE, text, number, api_id=short, account=short, source=short,
            network_id=short, flags=["review"], number=short[:20],
        )  # fmt: skip
        yield command(id, ALICE, text, number, sender_id=short[:20], api_id=short, keyword=short)
        yield state(id, ALICE, "failed", number, code=short, words=text, charge=short)
        yield changed(
            MtResult, result_id=id * 32, command_id=id * 32, handset=ALICE, words=text, way=short,
            api_id=short, status=short, at=NOON,
        )  # fmt: skip
        yield changed(
            MtRejection, rejection_id=id * 32, request_id=short, handset=ALICE, detail=text,
            rule=short, sender_id=short[:20], at=NOON, mo_message_id=short,
        )  # fmt: skip
        yield change(
            ALICE, "stopped", "open", "operator", number, scope=short, actor=short, reason=text,
            change_id=id * 32,
        )  # fmt: skip
        yield changed(
            DeadLetter, dead_letter_id=id * 32, words=text, source=short, stage=short, reason=short,
            octets=text.encode("utf-8", "replace"), key=short.encode("utf-8", "replace"), at=NOON,
            headers=[Header(name=short, value=text.encode("utf-8", "replace"))], topic=short,
        )  # fmt: skip
        yield changed(
            MoDeliveryResult, handset=ALICE, at=NOON, path=short, words=text, outcome=short,
            delivery_id=id * 32,
        )  # fmt: skip


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = migrated(tmp_path_factory.mktemp("hostile-report"))
    with Database(Settings(home=home)) as database:
        store_scene(database, list(records()))
        opened = Running(database, home=home)
        with asked_once():
            yield opened
        opened.stop()


@pytest.fixture
def client(running: Running) -> Iterator[PlainClient]:
    with running.plain_client() as opened:
        yield opened


class Page(HTMLParser):
    """What a browser would make of a page: elements, attributes and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


def check_page(page: str) -> None:
    """It has our elements alone, one script at most, and no character that acts."""
    found = Page(page).elements
    assert {tag for tag, _ in found} <= OURS
    assert [tag for tag, _ in found].count("script") <= 1
    for tag, attributes in found:
        assert not [name for name in attributes if name.startswith("on")], tag
        for name in ("href", "src", "action"):
            target = (attributes.get(name) or "").strip().lower()
            assert not target.startswith(("javascript:", "data:", "http:", "https:", "//")), target
    assert not ACTING & set(page)


#: Streams and figures; tests/hostile/test_report_callers.py has what signs in.
LEFT_OUT = ("/live", "/metrics", "/sign-")


def pages_of(running: Running) -> Iterator[str]:
    """An address of every route that answers GET, with an id where it needs one."""
    for method, path in running.routes:
        if method != "GET" or path.startswith(LEFT_OUT) or path.startswith("/job"):
            continue
        if path in ("/message", "/letter", "/letter-octets"):
            yield from (f"{path}?id={f'{number:x}' * 32}" for number in range(len(HOSTILE)))
        elif path in ("/account", "/statement"):
            continue  # tests/hostile/test_account_pages.py
        elif path == "/conversation":
            yield f"{path}?handset={ALICE}"
        else:
            yield path


def test_every_route_shows_hostile_texts_as_texts(running: Running, client: PlainClient) -> None:
    seen = set()
    for address in pages_of(running):
        answer = client.get(address, headers={"Accept": "text/html"})
        assert answer.status_code in (200, 404 if "message?" in address else 200), address
        kind = answer.headers["content-type"].partition(";")[0]
        seen.add(kind)
        assert answer.headers["x-content-type-options"] == "nosniff", address
        if kind == "text/html":
            check_page(answer.text)
            policy = answer.headers["content-security-policy"]
            assert "script-src 'self'" in policy
            assert "unsafe" not in policy
    assert {"text/html", "text/csv", "application/octet-stream"} <= seen


@pytest.mark.parametrize("name", LISTINGS)
def test_no_cell_of_a_download_acts(client: PlainClient, name: str) -> None:
    given = {"handset": ALICE} if "handset" in LISTINGS[name].filters else {}
    rows = csv.reader(
        io.StringIO(client.get(f"/csv/{name}", params=given).content.decode("utf-8-sig"))
    )
    for row in rows:
        for cell in row:
            for piece in cell.replace("\t", ";").replace("|", ";").replace("\n", ";").split(";"):
                bare = piece.strip().lstrip("\0\u200b\u202e\u2066")
                is_number = bare.lstrip("-").replace(".", "", 1).isdigit()
                assert is_number or not bare.startswith(("=", "+", "-", "@")), cell
    book = client.get(f"/xlsx/{name}", params=given).content
    with zipfile.ZipFile(io.BytesIO(book)) as held:
        names = [each for each in held.namelist() if each.endswith(".xml")]
        for each in names:
            tree = ElementTree.fromstring(held.read(each))  # noqa: S314  our own file
            tags = {element.tag.rpartition("}")[2] for element in tree.iter()}
            assert not tags & {"f", "hyperlink", "oleObject", "ddeLink"}, each
    table = pq.read_table(io.BytesIO(client.get(f"/parquet/{name}", params=given).content))
    assert table.num_rows >= 0


def test_no_parameter_makes_a_route_fail_or_act(running: Running, client: PlainClient) -> None:
    """Every parameter of every route has one text of them, and those of one list have all."""
    texts = itertools.cycle(HOSTILE.values())
    asked = [("/list/lines", name, text) for name in ALL for text in HOSTILE.values()]
    for (method, path), route in running.routes.items():
        if method == "GET" and not path.startswith((*LEFT_OUT, "/xlsx/", "/parquet/")):
            asked += [(path, name, next(texts)) for name in [*sorted(route.parameters), "unknown"]]
    for path, name, text in asked:
        answer = client.get(path, params={name: text[:500]}, headers={"Accept": "text/html"})
        assert answer.status_code in (200, 400, 404), (path, name)
        if answer.headers["content-type"].startswith("text/html"):
            check_page(answer.text)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_form_makes_a_route_fail_or_act(
    running: Running, client: PlainClient, text: str
) -> None:
    token = form_token_of(client.get("/list/lines").text)
    names = ("id", "action", "reason", "by", "name", "list", "filters", "format")
    for (method, path), route in running.routes.items():
        if method == "POST" and route.has_form and not path.startswith(LEFT_OUT):
            fields = {"form_token": token} | dict.fromkeys(names, text[:1_000])
            answer = client.post(path, data=fields, headers={"Accept": "text/html"})
            assert answer.status_code in (400, 404, 409), path
            check_page(answer.text)


def test_a_page_of_long_texts_stays_small(client: PlainClient) -> None:
    """A list cuts each text: 50 messages of 20 kB are no megabyte."""
    assert len(client.get("/list/lines").content) < 400_000
    assert len(client.get("/").content) < 400_000
