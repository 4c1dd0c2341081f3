"""`twoway phone`: a handset's conversation in a terminal."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from pipeline.cli.gateway.address import address_of
from pipeline.cli.gateway.phone_stream import line_of
from pipeline.cli.main import app
from pipeline.cli.terminal.failure import CommandError
from pipeline.gateway.world import EventKind
from tests.gateway.page.lively import ALICE, BOB, NUMBER, lively
from tests.gateway.page.serving import served

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


SPOKEN = {EventKind.SHOWN, EventKind.TEXTED}


async def run(*words: str, typed: str = "") -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, ["phone", *words], input=typed)


async def test_it_shows_what_was_and_sends_what_is_typed() -> None:
    desk = lively()
    async with served(desk) as url:
        typed = "Hello \U0001f44b\n\n/to 88802\nYes\n"
        result = await run(f"+{ALICE}", "--to", NUMBER, "--gateway", url, typed=typed)
    assert result.exit_code == 0, result.output
    assert desk.texted == [(ALICE, NUMBER, "Hello \U0001f44b"), (ALICE, "88802", "Yes")]
    assert f"< {NUMBER}  Your parcel is here." in result.output
    assert f"> {NUMBER}  Hello \U0001f44b" in result.output
    assert "> 88802  Yes" in result.output
    assert "! Fault played: lose answer" in result.output
    assert "Our offer of the week" not in result.output


async def test_no_text_acts_on_the_terminal() -> None:
    async with served(lively()) as url:
        result = await run(BOB, "--to", NUMBER, "--gateway", url, typed="x\n")
    assert "Nul[NUL]here[ESC][31m red[U+009B], Pay [RLO]99.9 EUR" in result.output
    assert not {"\0", "\x1b", "\x9b", "\u202e"} & set(result.output)


async def test_without_a_number_it_answers_the_last_message() -> None:
    desk = lively()
    last = [e.sender_id for e in desk.world.events if e.handset == BOB and e.kind in SPOKEN][-1]
    async with served(desk) as url:
        result = await run(BOB, "--gateway", url, typed="Yes\n")
    assert result.exit_code == 0, result.output
    assert desk.texted == [(BOB, last, "Yes")]


async def test_what_was_is_shown_where_nothing_is_typed() -> None:
    async with served(lively()) as url:
        result = await run(ALICE, "--gateway", url)
    assert result.exit_code == 0, result.output
    assert f"< {NUMBER}  Your parcel is here." in result.output


async def test_without_a_number_it_says_so() -> None:
    async with served(lively()) as url:
        result = await run("447700900077", "--gateway", url, typed="Hello\n")
    assert isinstance(result.exception, CommandError)
    assert "say which number to text" in str(result.exception)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "no stand-in runs"),
        ("http://203.0.113.9:8090", "not http:// on this machine"),
        ("https://127.0.0.1:8090", "not http:// on this machine"),
        ("file:///etc/passwd", "not http:// on this machine"),
        ("http://[::1", "is no address such as"),
        ("127.0.0.1:8090", "not http:// on this machine"),
    ],
)
def test_it_asks_only_this_machine(tmp_path: Path, given: str | None, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        address_of(given, tmp_path)


def test_where_the_home_says_it_is(tmp_path: Path) -> None:
    (tmp_path / "gateway.json").write_text('{"http": "http://127.0.0.1:8090/http"}')
    assert address_of(None, tmp_path) == "http://127.0.0.1:8090"


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("shown", "09:30:00 < 88802  Hi  [2 parts]"),
        ("texted", "09:30:00 > 88802  Hi  [2 parts]"),
        ("status", "09:30:00 . 88802  delivered"),
        ("consent", "09:30:00 = Hi"),
        ("submitted", ""),
    ],
)
def test_a_line_an_event(kind: str, line: str) -> None:
    fields: dict[str, str | int] = {
        "number": 1, "at": "09:30:00", "kind": kind, "way": "http", "other": "88802",
        "text": "Hi", "state": "delivered", "parts": "2 parts",
    }  # fmt: skip
    assert line_of(fields) == line
