"""The demo on its own stack, as a new user runs it, and when it fails."""

from __future__ import annotations

import itertools
import json
import re
import urllib.request
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from pipeline.cli.demo import scene as scenes
from pipeline.cli.demo.command import lines_to_try
from pipeline.cli.demo.conversation import (
    CONFIRMATION,
    DEMO_NUMBER,
    ENGLISH,
    REFUSED_REPLY,
    REPLIES,
)
from pipeline.cli.demo.scene import Scene
from pipeline.cli.demo.stack import running_stack
from pipeline.cli.terminal.failure import CommandError
from pipeline.home.holding import hold
from tests.support.looking import looks

if TYPE_CHECKING:
    from tests.support.played import Played

HTTP_WAYS = itertools.product(("http", "xml", "soap"), ("GET", "POST"))


@pytest.mark.broker
@pytest.mark.timeout(600)
def test_the_demo_plays_checks_shows_and_stays_until_ctrl_c(played: Played) -> None:
    """What follows Ctrl-C is checked where the suite's stack with a stand-in ends."""
    page, report = (line_with(played.said, "The phones:"), line_with(played.said, "The report:"))
    for address in (page, report):
        with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310 - our own
            assert answer.status == 200
    handset = line_with(played.said, "twoway text").split()[2]
    texted = played.running.cli("text", handset, DEMO_NUMBER, "Hello 👋")
    (part,) = texted.stdout.split()
    arrived = f"SELECT text FROM mo_message WHERE has(mo_msg_ids, '{part}')"
    for _ in looks(seconds=60):
        if rows := played.running.cli("sql", arrived).stdout:
            break
    assert json.loads(rows) == {"text": "Hello 👋"}
    shown = " ".join(played.said.read_text().replace("│", " ").split())
    for text in (ENGLISH, *REPLIES.values(), REFUSED_REPLY, "re-enabled", "checks passed"):
        assert text in shown
    for way in ("ftp", "smpp", *(f"{name} {method}" for name, method in HTTP_WAYS)):
        assert re.search(rf" {way} +[1-9]", shown), way  # in the table of what arrived
    assert CONFIRMATION[:18] in shown  # the rest is on the next line of its cell


def line_with(log: Path, words: str) -> str:
    """What stands behind these words."""
    return next(
        line.partition(words)[2].strip() if words.endswith(":") else line.strip()
        for line in log.read_text().splitlines()
        if words in line
    )


def test_a_stack_without_the_stand_in_is_not_played_on(tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text('{"kafka": "", "ingest": "", "report": "", "pids": {}}')
    with (
        hold(tmp_path),
        pytest.raises(CommandError, match="a stack without the stand-in runs under"),
        running_stack(tmp_path, say=lambda _: None),
    ):
        pass


def test_what_to_try_is_whole_lines() -> None:
    lines = lines_to_try(Path("h"), "447700900001", page="http://127.0.0.1:1", report="http://r")
    assert [line for line in lines if line.startswith("  twoway ")] == [
        '  twoway text 447700900001 447700900999 "Hello 👋" --home h',
        '  twoway mt --to 447700900001 --from 447700900999 --text "Hello yourself" --home h',
        "  twoway why 447700900001 --home h",
    ]
    assert {"The phones:  http://127.0.0.1:1/", "The report:  http://r/"} < set(lines)


def test_an_expectation_that_fails_ends_the_demo_with_both_values() -> None:
    scene = Scene(console=Console(file=StringIO()), report="http://127.0.0.1:1")
    scene.expect("one and one", got=2, wanted=2)
    with pytest.raises(CommandError, match="the demo expected two and two: 4, but it was 5"):
        scene.expect("two and two", got=5, wanted=4)
    assert scene.checks == 1


def test_an_effect_that_does_not_come_ends_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenes, "EFFECT_SECONDS", 0.2)
    monkeypatch.setattr(Scene, "rows", lambda _scene, _sql: [])
    scene = Scene(console=Console(file=StringIO()), report="http://127.0.0.1:1")
    with pytest.raises(CommandError, match=r"ClickHouse did not show a change within 0\.2 s"):
        scene.first("consent_change", handset="447700900001", what="a change")
