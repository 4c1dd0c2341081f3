"""The demo on its own stack, as a new user runs it, and when it fails."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from pipeline.cli.demo import scene as scenes
from pipeline.cli.demo.conversation import CONFIRMATION, ENGLISH, REFUSED_REPLY
from pipeline.cli.demo.scene import Scene
from pipeline.cli.terminal.failure import CommandError
from pipeline.home.stack import find_stack

if TYPE_CHECKING:
    from pathlib import Path

HTTP_WAYS = itertools.product(("http", "xml", "soap"), ("GET", "POST"))


@pytest.mark.broker
def test_the_demo_plays_checks_and_shows_the_conversation(tmp_path: Path) -> None:
    home = tmp_path / "home"
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli.main", "demo", "--home", str(home)],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert (done.returncode, done.stderr) == (0, "")
    shown = " ".join(done.stdout.replace("│", " ").split())
    for text in (ENGLISH, REFUSED_REPLY, "re-enabled", "confirmation-due", "checks passed"):
        assert text in shown
    for way in ("ftp", "smpp", *(f"{name} {method}" for name, method in HTTP_WAYS)):
        assert re.search(rf" {way} +[1-9]", shown), way  # in the table of what arrived
    assert CONFIRMATION[:18] in shown  # the rest is on the next line of its cell
    assert done.stdout.splitlines()[-1].startswith("Try next: twoway ")
    assert find_stack(home) is None


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
