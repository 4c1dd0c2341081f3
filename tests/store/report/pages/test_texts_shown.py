"""Texts on a page: binary as hex, each direction of writing by itself, odd characters by name."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pipeline.records import MoDelivery
from pipeline.store.report.pages.rendering import harmless, html_of_text, pairs_from_hex
from tests.store.report.scene import ALICE, ARABIC, CARLA, DINA, NOON, changed, scene, store_scene
from tests.store.report.serving_report import Running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.store.clickhouse.database import Database


@pytest.fixture(scope="module")
def running(database: Database) -> Iterator[Running]:
    waits = changed(
        MoDelivery, handset=ALICE, subject_id="1" * 32, state="waiting", path="crm", attempt=3,
        at=NOON, due_at=NOON + timedelta(minutes=8),
    )  # fmt: skip
    store_scene(database, [*scene(), waits])
    opened = Running(database)
    yield opened
    opened.stop()


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (f"/conversation?handset={CARLA}", '<code class="octets">c3 01 7f 00 ff</code>'),
        ("/list/incomplete", '<span class="tag">binary</span>'),
        ("/message?id=" + "8" * 32, "c3 01 7f 00 ff"),
        (f"/conversation?handset={DINA}", f'<bdi dir="auto">{ARABIC}</bdi>'),
        (f"/conversation?handset={ALICE}", "\U0001f4e6\U0001f44b\U0001f3fd</bdi>"),
        ("/list/lines?text=gnp", '<b class="odd">RLO</b>gnp.exe<b class="odd">PDF</b>'),
        ("/list/lines?text=gnp", '<b class="odd">NUL</b>NUL'),
        (f"/conversation?handset={ALICE}", "Waits to be handed on"),
        (f"/conversation?handset={ALICE}", "crm, 3 attempts, again at"),
        ("/letter?id=" + "7" * 32, "All of them as a file"),
    ],
)
def test_what_a_page_shows(running: Running, path: str, shown: str) -> None:
    assert shown in running.client.get(path).text


def test_the_octets_of_a_letter_are_a_file(running: Running) -> None:
    answer = running.client.get("/letter-octets?id=" + "7" * 32)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert running.client.get("/letter-octets?id=none").status_code == 404


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("plain", "plain"),
        ("\u202eabc\0", "[RLO]abc[NUL]"),
        ("two\nlines", "two\nlines"),
        (html_of_text("\0"), html_of_text("\0")),
        (7, 7),
        (None, None),
    ],
)
def test_what_a_template_prints_does_not_act(value: object, shown: object) -> None:
    assert harmless(value) == shown


def test_a_long_binary_text_is_cut_and_says_so() -> None:
    assert pairs_from_hex("00ff") == "00 ff"
    assert pairs_from_hex("ab" * 200).endswith("ab … 40 more octets")
