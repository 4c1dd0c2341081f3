"""The demo on its own stack, as a new user runs it, and when it fails."""

from __future__ import annotations

import itertools
import re
import signal
import subprocess
import sys
import time
import urllib.request
from io import StringIO
from pathlib import Path

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
from pipeline.home.stack import find_stack
from tests.support.here import run_here
from tests.support.running import environment_without_settings

HTTP_WAYS = itertools.product(("http", "xml", "soap"), ("GET", "POST"))


@pytest.mark.broker
@pytest.mark.timeout(600)
def test_the_demo_plays_checks_shows_and_stays_until_ctrl_c(tmp_path: Path) -> None:
    home, log = tmp_path / "home", tmp_path / "said"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.cli.main", "demo", "--keep", "--home", str(home)],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment_without_settings({"block_seconds": "0.2"}),
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 480
        while "Ctrl-C ends it all" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        page, report = (line_with(log, "The phones:"), line_with(log, "The report:"))
        for address in (page, report):
            with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310 - our own
                assert answer.status == 200
        handset = line_with(log, "twoway text").split()[2]
        texted = run_here("text", handset, DEMO_NUMBER, "Hello 👋", home=home)
        assert len(texted.stdout.split()) == 1
    finally:
        process.send_signal(signal.SIGINT)
        status = process.wait(60)
    shown = " ".join(log.read_text().replace("│", " ").split())
    assert status == 0, shown
    for text in (ENGLISH, *REPLIES.values(), REFUSED_REPLY, "re-enabled", "checks passed"):
        assert text in shown
    for way in ("ftp", "smpp", *(f"{name} {method}" for name, method in HTTP_WAYS)):
        assert re.search(rf" {way} +[1-9]", shown), way  # in the table of what arrived
    assert CONFIRMATION[:18] in shown  # the rest is on the next line of its cell
    assert find_stack(home) is None


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
