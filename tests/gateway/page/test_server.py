"""The page over HTTP: its content, its forms, and the callers that it refuses."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.gateway.page.lively import ALICE, BOB, CARLA, DORA, NUMBER, Lively, lively
from tests.gateway.page.serving import served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

QUICK = {"number": NUMBER, "quick": "STOP", "text": ""}
FORM = {"number": NUMBER, "text": "Hello"}


@pytest.fixture
def desk() -> Lively:
    return lively()


@pytest.fixture
async def client(desk: Lively) -> AsyncIterator[httpx.AsyncClient]:
    async with served(desk) as url, httpx.AsyncClient(base_url=url) as opened:
        yield opened


class Seen(HTMLParser):
    """The elements and the text of a page, parsed as a browser does."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


async def test_the_page_shows_phones_wire_faults_and_account(client: httpx.AsyncClient) -> None:
    seen = Seen((await client.get("/")).text)
    ids = [attributes.get("id") for _, attributes in seen.elements]
    for handset in (ALICE, BOB, CARLA, DORA):
        assert f"phone-{handset}" in ids
    for words in (
        "Your parcel is here",
        "SHOP",
        "delivered · 004",
        "3 parts",
        "MT refused",
        "90.00",
    ):
        assert words in seen.text
    used = [name for name in ids if name]
    assert len(used) == len(set(used))


async def test_no_text_of_a_handset_is_markup(client: httpx.AsyncClient) -> None:
    for path in ("/", "/?panel=wire", "/exchanges/15"):
        answer = await client.get(path)
        seen = Seen(answer.text)
        scripts = [attributes for tag, attributes in seen.elements if tag == "script"]
        assert all(attributes.get("src") == "/page.js" for attributes in scripts)
        assert not [tag for tag, _ in seen.elements if tag in {"img", "style", "iframe", "object"}]
        names = {name for _, attributes in seen.elements for name in attributes}
        assert not [name for name in names if name.startswith("on") or name == "style"]
        assert not {"\0", "\x1b", "\u202e", "\u2066"} & set(answer.text)
    assert "<script>alert(1)</script>" in Seen((await client.get("/")).text).text


async def test_nothing_is_fetched_from_elsewhere(client: httpx.AsyncClient) -> None:
    answer = await client.get("/")
    for tag, attributes in Seen(answer.text).elements:
        for name in ("href", "src", "action"):
            assert (attributes.get(name) or "/")[0] in "/#", (tag, attributes)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    for name in ("page.css", "page.js", "page.svg"):
        static = await client.get(f"/{name}")
        assert static.headers["content-security-policy"] == policy
        assert "http" not in static.text.replace("http://www.w3.org/2000/svg", "").replace(
            "https", ""
        )


async def test_a_form_texts_as_the_handset_and_leads_back(
    client: httpx.AsyncClient, desk: Lively
) -> None:
    answer = await client.post(f"/phones/{ALICE}/texts", data=FORM | {"text": "a\r\nb \U0001f44b"})
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"/?phone={ALICE}#phone-{ALICE}",
    )
    assert (await client.post(f"/phones/{ALICE}/texts", data=QUICK)).status_code == 303
    assert desk.texted == [(ALICE, NUMBER, "a\nb \U0001f44b"), (ALICE, NUMBER, "STOP")]
    wants_json = {"Accept": "application/json"}
    answer = await client.post(f"/phones/{ALICE}/texts", data=FORM, headers=wants_json)
    assert answer.json() == {"done": True, "event": desk.world.events[-1].number}


@pytest.mark.parametrize(
    ("path", "form", "status", "words"),
    [
        ("/phones/x/texts", FORM, 400, "a handset must be digits"),
        ("/phones/٤٤/texts", FORM, 400, "a handset must be digits"),
        (f"/phones/{ALICE}/texts", FORM | {"text": ""}, 400, "an empty text is not sent"),
        (f"/phones/{ALICE}/texts", FORM | {"number": "MARKET"}, 400, "give the number to text"),
        (f"/phones/{ALICE}/texts", FORM | {"text": "x" * 40_001}, 400, "at most 40,000"),
        ("/phones", {"handset": "<b>"}, 400, "a handset must be digits"),
        ("/faults/none", {"is_on": "1"}, 404, "no such fault"),
        ("/measure", {"text": "x" * 40_001}, 400, "at most 40,000"),
    ],
)
async def test_what_is_not_done_is_said(
    client: httpx.AsyncClient,
    desk: Lively,
    path: str,
    form: dict[str, str],
    status: int,
    words: str,
) -> None:
    for accepts in ("*/*", "text/html"):
        answer = await client.post(path, data=form, headers={"Accept": accepts})
        assert (answer.status_code, words in answer.text) == (status, True)
        assert "content-security-policy" in answer.headers
    assert desk.texted == []


async def test_a_switch_turns_a_fault_on_and_off(client: httpx.AsyncClient, desk: Lively) -> None:
    answer = await client.post("/faults/hang", data={"is_on": "1"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/?panel=faults")
    assert desk.on == {"lose-answer", "hang"}
    await client.post("/faults/lose-answer", data={"is_on": "0"})
    assert desk.on == {"hang"}


async def test_a_phone_is_put_on_the_desk(client: httpx.AsyncClient, desk: Lively) -> None:
    answer = await client.post("/phones", data={"handset": "+44 7700-900 077"})
    assert answer.headers["location"] == "/?phone=447700900077#phone-447700900077"
    assert desk.desk[-1] == "447700900077"
    assert "phone-447700900077" in (await client.get(answer.headers["location"])).text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a" * 160, "1 part · GSM 7-bit · 160"),
        ("a" * 161, "2 parts · GSM 7-bit · 161"),
        ("\u20ac" * 80, "1 part · GSM 7-bit · 160"),
        ("\U0001f44b" * 36, "2 parts · UCS-2 · 72"),
        ("", ""),
    ],
    ids=["one part", "two parts", "extension table", "pairs", "nothing"],
)
async def test_parts_are_counted(client: httpx.AsyncClient, text: str, words: str) -> None:
    """3GPP TS 23.038 6.2.1, 6.2.3 and 23.040 9.2.3.24.1."""
    assert (await client.post("/measure", data={"text": text})).text == words


async def test_an_exchange_opens_with_its_octets_both_ways(
    client: httpx.AsyncClient, desk: Lively
) -> None:
    event = desk.world.events[0]
    page = Seen((await client.get(f"/exchanges/{event.number}")).text)
    assert page.text.index("Received by the gateway") < page.text.index("Sent by the gateway")
    assert "Your parcel is here." in page.text
    assert "50 4f 53 54 20 2f 68 74" in page.text
    piece = (await client.get(f"/exchanges/{event.number}?piece=1")).text
    assert "<html" not in piece
    for side, octets in (("received", event.received), ("sent", event.sent)):
        answer = await client.get(f"/exchanges/{event.number}/{side}")
        assert answer.content == octets
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert (await client.get("/exchanges/99999")).status_code == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"Host": "rebinding.example"}, 403, id="a name that points here"),
        pytest.param({"Host": "127.0.0.1:99999"}, 400, id="a port there is not"),
        pytest.param({"Host": "a b"}, 400, id="no host"),
        pytest.param({"Origin": "http://evil.example"}, 403, id="a page elsewhere"),
        pytest.param({"Origin": "http://127.0.0.1:1"}, 403, id="a page of another port"),
        pytest.param({"Origin": "null"}, 403, id="a page without an origin"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, 403, id="another site"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, 403, id="another name of the site"),
        pytest.param({"X-Forwarded-For": "203.0.113.9"}, 403, id="a proxy"),
        pytest.param({"Forwarded": "for=203.0.113.9"}, 403, id="a proxy of the standard"),
        pytest.param({"Host": "localhost:1", "Origin": "http://localhost:1"}, 200, id="own page"),
        pytest.param({"Sec-Fetch-Site": "same-origin"}, 200, id="own form"),
        pytest.param({}, 200, id="no browser"),
    ],
)
async def test_a_page_elsewhere_cannot_ask(
    client: httpx.AsyncClient, desk: Lively, headers: dict[str, str], status: int
) -> None:
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", f"/phones/{ALICE}/texts", {"data": FORM}),
        ("POST", "/phones", {"data": {"handset": "447700900077"}}),
        ("POST", "/faults/hang", {"data": {"is_on": "1"}}),
        ("POST", "/measure", {"data": FORM}),
        ("GET", "/", {}),
        ("GET", "/page.js", {}),
        ("GET", "/exchanges/1", {}),
        ("GET", "/exchanges/1/sent", {}),
    ]
    wants_json = {"Accept": "application/json"}
    for method, path, rest in asked:
        answer = await client.request(method, path, headers=wants_json | headers, **rest)
        assert answer.status_code == status, path
    if status != 200:
        for path in ("/live", f"/phones/{ALICE}/events"):
            assert (await client.get(path, headers=headers)).status_code == status
    assert bool(desk.texted) is (status == 200)


@pytest.mark.parametrize("panel", ["wire", "faults", "account", "<script>", ""])
async def test_a_panel_is_one_of_four(client: httpx.AsyncClient, panel: str) -> None:
    answer = await client.get("/", params={"panel": panel, "phone": "<b>"})
    (body,) = [attributes for tag, attributes in Seen(answer.text).elements if tag == "body"]
    assert body["data-panel"] == (panel if panel.isalpha() else "phones")


async def test_many_phones_are_not_all_shown_at_once(
    client: httpx.AsyncClient, desk: Lively
) -> None:
    for number in range(40):
        await desk.text(f"4477009010{number:02}", NUMBER, "Hello")
    page = (await client.get("/", params={"phone": ALICE})).text
    assert page.count('<article class="phone') == 12
    assert f"phone-{ALICE}" in page
    assert "and 32 more" in page
