"""Every route, for every set of rights: nobody gets octets of a handset or a text without a right.

The routes come from the report itself, so a new one is tried here without a word. A route with a
parameter that this test does not know fails it: then say which value shows the most.
"""

from __future__ import annotations

import io
import itertools
import re
import zipfile
from functools import cache
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from pipeline.records import (
    ConsentChange,
    ConsentRequest,
    DeadLetter,
    Header,
    MoDeliveryResult,
    MtRejection,
    MtRequest,
    MtResult,
    Record,
)
from pipeline.store import metrics
from pipeline.store.report import signing_in
from pipeline.store.report.access_records import AccessRecords
from pipeline.store.report.caller import EVERYTHING, Right
from pipeline.store.report.export.saved import SavedReport
from pipeline.store.report.masking.columns_seen import HIDDEN
from pipeline.store.report.masking.seal import is_sealed
from pipeline.store.report.who.password import is_password_of
from pipeline.store.report.who.users_file import User
from tests.store.report.asked_once import asked_once
from tests.store.report.scene import (
    ALICE,
    BOB,
    CARLA,
    DINA,
    NOON,
    changed,
    message,
    scene,
    store_scene,
)
from tests.store.report.serving_report import Running, form_token_of, sign_in
from tests.support.hashed_password import HASH, PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.store.clickhouse.database import Database
    from pipeline.store.report.route import PageRequest
    from tests.store.report.plain_client import Answer, PlainClient

SECRETS = ("zebra", "quagga")
#: Texts that quote a handset, ours and that of others, in the ways people write it.
TELLTALE = f"quagga: call {ALICE} or +44 7700-900.002"
HANDSETS = (ALICE, BOB, CARLA, DINA)
#: Where the records that others make repeat what was written, and to whom.
QUOTED = f"no route for zebra to {BOB}"
#: No route needs the right to accounts yet; it changes nothing of what is shown.
NEEDED = sorted(EVERYTHING - {Right.ACCOUNTS})
SETS_OF_RIGHTS = [
    frozenset(rights)
    for count in range(len(NEEDED) + 1)
    for rights in itertools.combinations(NEEDED, count)
]


def name_of(rights: frozenset[Right]) -> str:
    return "u-" + ("-".join(sorted(rights)) or "nothing")


USERS = {
    name_of(rights): User(name=name_of(rights), password=HASH, rights=rights)
    for rights in SETS_OF_RIGHTS
}


def records() -> list[Record]:
    """The scene, with what is secret in every place that others write."""
    octets = f"from={BOB}&text=zebra".encode()
    return [
        *scene(),
        message("e", ALICE, TELLTALE, 40),
        message("f", BOB, "zebra stop", 41, flags=["review"]),
        changed(
            ConsentChange, change_id="c" * 32, handset=BOB, actor="anna",
            reason=QUOTED, mo_message_id="e" * 32, recorded_at=NOON, at=NOON,
        ),
        changed(
            MtRejection, rejection_id="e" * 32, request_id=f"r-{BOB}", handset=BOB,
            sender_id="88801", rule="opted-out", detail=QUOTED, at=NOON,
        ),
        changed(
            MtRequest, request_id=f"r-{BOB}", to=f"+{BOB}", text=f"zebra {ALICE}",
            requested_at=NOON,
        ),
        changed(
            MtResult, command_id="b" * 32, handset=BOB, at=NOON, request_id="order-b",
            words=QUOTED,
        ),
        changed(
            ConsentRequest, request_id="q", handset=BOB, number="88801", action="dismiss",
            mo_message_id="f" * 32, actor="anna", reason=QUOTED, requested_at=NOON,
        ),
        changed(MoDeliveryResult, handset=BOB, words=QUOTED, at=NOON),
        changed(
            DeadLetter, dead_letter_id="d" * 32, key=BOB.encode(), octets=octets, words=QUOTED,
            at=NOON, headers=[Header(name="x", value=octets)],
        ),
    ]  # fmt: skip


def telltales(rights: frozenset[Right]) -> list[str]:
    """What must not be in an answer: digits of handsets, words of texts."""
    found: list[str] = []
    if Right.NUMBERS not in rights:
        for handset in HANDSETS:
            national = handset[2:]
            found += [handset, handset.encode().hex(), national, national.encode().hex()]
            found.append(handset.encode().hex(" "))
        found += ["7700-900.002", "900.002"]
    if Right.TEXTS not in rights:
        for text in (*SECRETS, "parcel", "reimport"):
            found += [text, text.upper(), text.encode().hex(), text.encode().hex(" ")]
            found.append(text.encode("utf-16-be").hex())
        found += ["script&gt;alert", "HYPERLINK", "مرحبا", "between 9 and 11"]
    return found


@pytest.fixture(scope="module")
def running(database: Database) -> Iterator[Running]:
    store_scene(database, records())
    saved = SavedReport(name="of-bob", list="lines", filters={"handset": BOB, "text": "zebra"})
    opened = Running(database, read_users=lambda: USERS, saved={"of-bob": saved})
    for series in (metrics.MESSAGES, metrics.COMMANDS):
        series.clear()  # other tests rent the numbers that are handsets here
    with asked_once() as patch:
        patch.setattr(AccessRecords, "note", _note)
        patch.setattr(signing_in, "is_password_of", cache(is_password_of))  # one for all
        yield opened
    opened.stop()


NOTED: list[tuple[str, str, str]] = []


async def _note(_: AccessRecords, asked: PageRequest, action: str, what: str) -> None:
    NOTED.append((asked.caller.name, action, what))


#: What a form shows as an example is of nobody.
PLACEHOLDERS = re.compile(r'placeholder="[^"]*"')


def read(answer: Answer) -> str:
    """All that an answer tells: its head and its body, packed or not."""
    body = answer.content
    pieces = [str(answer.headers.items()), answer.url, body.decode("utf-8", "replace")]
    if body.startswith(b"PK"):
        book = zipfile.ZipFile(io.BytesIO(body))
        pieces += [book.read(name).decode("utf-8", "replace") for name in book.namelist()]
    if body.startswith(b"PAR1"):
        pieces.append(str(pq.read_table(io.BytesIO(body)).to_pydict()))
    return PLACEHOLDERS.sub("", "\n".join(pieces))


#: Of each parameter values that show the most, seals are taken from what the caller is shown.
VALUES: dict[str, tuple[str, ...]] = {
    "handset": (ALICE, BOB, "SEAL"),
    "text": ("zebra", "quagga", "parcel", "44", "hello"),
    "keyword": ("QUAGGA:", "FUN"),
    "id": ("e" * 32, "a" * 32, "b" * 32, "d" * 32, "7" * 32, "SEAL"),
    "before": (f"2026-03-04T12:50:00.000Z,{BOB}", f"2027-03-04T12:50:00.000Z,{'e' * 32}"),
    "after": (f"2026-03-04T12:00:00.000Z,{BOB}",),
    "number": ("88801", BOB, "88801-88802"),
    "from": ("2026-03-01",),
    "to": ("2026-03-05",),
    "at": ("2026-03-04T12:00:00.000Z",),
    "as_of": ("2099-01-01",),
    "direction": ("in", "out", "refused"),
    "consent": ("stopped",),
    "complete": ("no",),
    "state": ("failed",),
    "code": ("114",),
    "rule": ("opted-out",),
    "flag": ("review",),
    "way": ("http",),
    "purpose": ("reply",),
    "api_id": ("1",),
    "account": ("main",),
    "rows": ("200",),
    "piece": ("1",),
    "done": ("accept",),
    "next": (f"conversation?handset={BOB}",),
    "actor": ("me",),
    "scope": ("88801",),
    "reason": ("unreadable-record",),
    "stage": ("normalise",),
    "source": ("http",),
    "path": ("crm",),
    "outcome": ("failed",),
    "name": ("main",),
    "month": ("2026-03",),
    "step": ("hour",),
    "released": ("no",),
}
#: These say themselves what they answer, of nothing that is stored.
OF_NOTHING_STORED = {"/healthz", "/readyz", "/metrics", "/sign-in/return", "/live"}


#: Parameters that name a person, a text or a place; the others only leave rows out.
TELLING = {"handset", "text", "keyword", "id", "before", "after", "next", "number"}


def requests_of(route: Any, seals: Mapping[str, list[str]]) -> Iterator[dict[str, str]]:
    """The queries that are tried at a route. Exports of one list differ in their form alone."""
    yield {}
    is_other_form = route.path.startswith(("/xlsx/", "/parquet/"))
    for name in sorted(route.parameters or ()):
        assert name in VALUES, f"{route.path} takes {name}: say here which value shows the most"
        if is_other_form or (name not in TELLING and route.path != "/list/lines"):
            continue
        for value in VALUES[name]:
            for each in seals.get(name, []) if value == "SEAL" else [value]:
                yield {name: each}


def told_itself(query: Mapping[str, str], telltale: str) -> bool:
    """Whether the caller said it: a page repeats what was asked for."""
    return any(telltale.lower() in value.lower() for value in query.values())


def seals_of(client: PlainClient) -> dict[str, list[str]]:
    """What a caller is shown in place of handsets and ids."""
    page = client.get("/list/lines", params={"rows": "200"}).text
    handsets = set(re.findall(r"conversation\?handset=([^\"&]+)", page))
    ids = set(re.findall(r"message\?id=([^\"&]+)", page))
    return {"handset": sorted(handsets)[:4], "id": sorted(ids)[:30]}


_OTHERS = frozenset(NEEDED) - {Right.NUMBERS, Right.TEXTS}


@pytest.mark.parametrize(
    "rights",
    [
        seen | others
        for seen in (frozenset(), {Right.NUMBERS}, {Right.TEXTS})
        for others in (frozenset(), _OTHERS)
    ],
    ids=name_of,
)
def test_no_route_shows_what_a_right_is_missing_for(
    running: Running, rights: frozenset[Right]
) -> None:
    with running.plain_client() as client:
        assert sign_in(client, name_of(rights), PASSWORD).status_code == 303
        seals = seals_of(client)
        found = []
        for route in running.report.routes:
            if route.path in OF_NOTHING_STORED or route.method != "GET":
                continue
            for query in requests_of(route, seals):
                answer = client.get(route.path, params=query, headers={"Accept": "text/html"})
                assert answer.status_code < 500, (route.path, query, answer.text[-400:])
                said = read(answer).replace(answer.url, "")
                found += [
                    (route.path, query, each)
                    for each in telltales(rights)
                    if each in said and not told_itself(query, each)
                ]
        assert found == []


@pytest.mark.parametrize("rights", SETS_OF_RIGHTS, ids=name_of)
def test_a_route_is_open_to_those_alone_who_have_what_it_needs(
    running: Running, rights: frozenset[Right]
) -> None:
    with running.plain_client() as client:
        assert sign_in(client, name_of(rights), PASSWORD).status_code == 303
        token = form_token_of(client.get("/conversation").text)
        for route in running.report.routes:
            if route.path in ("/sign-out", "/readyz", "/live"):  # /live never ends
                continue
            given = {"form_token": token, "id": "no such"} if route.method == "POST" else None
            is_other_form = route.path.startswith(("/xlsx/", "/parquet/"))
            answer = client.request(
                "HEAD" if is_other_form else route.method,  # the same rights, and no rows
                route.path,
                data=given,
                headers={"X-Form-Token": token},
            )
            assert (answer.status_code == 403) == bool(route.needs - rights), route.path
            said = read(answer)
            assert [each for each in telltales(rights) if each in said] == [], route.path


def test_what_is_taken_out_or_decided_is_noted_with_its_user(running: Running) -> None:
    """A route that needs the right to download, decide or ask is noted, but for what only lists."""
    lists_only = {("GET", "/reports"), ("GET", "/dictionary"), ("GET", "/review"),
                  ("GET", "/letter"), ("GET", "/job"), ("POST", "/reports"),
                  ("POST", "/job")}  # fmt: skip
    telling = {Right.DOWNLOAD, Right.DECIDE, Right.SQL}
    with running.plain_client() as client:
        sign_in(client, name_of(frozenset(NEEDED)), PASSWORD)
        token = form_token_of(client.get("/conversation").text)
        for route in running.report.routes:
            if not route.needs & telling or (route.method, route.path) in lists_only:
                continue
            if Right.ACCOUNTS in route.needs:  # a right that this user does not have
                continue
            NOTED.clear()
            given = {"form_token": token} if route.has_form else None
            body = "SELECT 1" if route.path == "/sql" else None
            client.request(
                route.method, route.path, data=given, content=body,
                headers={"X-Form-Token": token},
            )  # fmt: skip
            assert [user for user, _, _ in NOTED] == [name_of(frozenset(NEEDED))], route.path


def test_nothing_is_shown_to_who_has_not_signed_in(running: Running) -> None:
    with running.plain_client() as client:
        for route in running.report.routes:
            if route.is_open or route.path in ("/healthz", "/readyz", "/metrics"):
                continue
            for accept in ("text/html", "*/*"):
                answer = client.request(route.method, route.path, headers={"Accept": accept})
                assert answer.status_code == 401, route.path


@pytest.mark.parametrize("rights", [frozenset({Right.NUMBERS}), frozenset()], ids=name_of)
def test_the_same_mask_tells_one_person_from_others_on_every_page_and_in_every_export(
    running: Running, rights: frozenset[Right]
) -> None:
    rights |= {Right.DOWNLOAD}
    with running.plain_client() as client:
        sign_in(client, name_of(rights), PASSWORD)
        lines = client.get("/csv/lines").text.splitlines()
        at = lines[0].split(",").index("handset")
        shown = {line.split(",")[at] for line in lines[1:] if line.startswith("2026")}
        assert len(shown) == len({*HANDSETS})
        if Right.NUMBERS in rights:
            assert shown == {*HANDSETS}
            return
        assert all(is_sealed(each) for each in shown)
        for each in shown:
            page = client.get("/conversation", params={"handset": each})
            assert page.status_code == 200
            of_list = client.get("/csv/lines", params={"handset": each}).text
            assert {line.split(",")[at] for line in of_list.splitlines()[1:] if each in line} == {
                each
            }


def test_who_may_see_all_opens_the_address_of_who_may_not(running: Running) -> None:
    with running.plain_client() as client, running.plain_client() as other:
        sign_in(client, name_of(frozenset()), PASSWORD)
        sign_in(other, name_of(frozenset({Right.NUMBERS, Right.TEXTS})), PASSWORD)
        for seal in seals_of(client)["handset"]:
            page = other.get("/conversation", params={"handset": seal}).text
            assert any(f">{handset}<" in page for handset in HANDSETS)
            assert seal not in page


@pytest.mark.parametrize(
    ("rights", "query"),
    [
        (frozenset(), {"handset": ALICE}),
        (frozenset({Right.TEXTS}), {"handset": ALICE}),
        (frozenset({Right.TEXTS}), {"handset": "~" + "A" * 43}),
        (frozenset({Right.NUMBERS}), {"text": "zebra"}),
        (frozenset({Right.NUMBERS}), {"keyword": "QUAGGA:"}),
        (frozenset({Right.TEXTS}), {"text": "call 4477"}),
        (frozenset({Right.TEXTS}), {"text": "call ٤٤٧٧"}),
        (frozenset(), {"before": f"2026-03-04T12:50:00.000Z,{'e' * 32}"}),
    ],
)
def test_a_filter_that_would_let_the_caller_guess_is_refused(
    running: Running, rights: frozenset[Right], query: dict[str, str]
) -> None:
    rights |= {Right.DOWNLOAD}
    with running.plain_client() as client:
        sign_in(client, name_of(rights), PASSWORD)
        for path in ("/list/lines", "/csv/lines"):
            if path.startswith("/csv") and "before" in query:
                continue
            answer = client.get(path, params=query)
            assert answer.status_code == 400, (path, answer.text)
            assert "right" in answer.text


def test_a_text_that_is_hidden_says_so_and_is_not_taken_for_an_empty_one(
    running: Running,
) -> None:
    with running.plain_client() as client:
        sign_in(client, name_of(frozenset({Right.NUMBERS})), PASSWORD)
        page = client.get("/list/lines").text
        assert HIDDEN in page


def test_a_column_that_nobody_has_named_is_hidden(running: Running) -> None:
    from pipeline.store.report.masking.columns_seen import masked_rows
    from pipeline.store.report.masking.seal import Seal
    from pipeline.store.report.masking.sight import Sight

    some = Sight(numbers=True, texts=False)
    rows = masked_rows(["brand_new", "count"], [("zebra", 3)], some, Seal(bytes(64)))
    assert rows == [(HIDDEN, 3)]


def test_the_samples_are_told_to_who_may_see_them(running: Running) -> None:
    """Else the search above would find nothing because nothing is there."""
    everything = frozenset(NEEDED)
    with running.plain_client() as client:
        sign_in(client, name_of(everything), PASSWORD)
        seals = seals_of(client)
        said = "\n".join(
            read(client.get(route.path, params=query))
            for route in running.report.routes
            if route.method == "GET" and route.path not in OF_NOTHING_STORED
            for query in requests_of(route, seals)
        )
        missing = [
            each
            for each in telltales(frozenset())
            if each not in said and re.fullmatch(r"[\w .@-]+", each) and " " not in each
        ]
    assert [each for each in HANDSETS if each not in said] == []
    assert "zebra" in said
    assert "quagga" in said
    assert b"zebra".hex(" ") in said
    assert missing
