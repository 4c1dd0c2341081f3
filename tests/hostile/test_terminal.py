"""What handsets and applications write does nothing to the terminal of whoever looks at it."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli import main as cli
from pipeline.cli.terminal.output import harmless
from pipeline.cli.terminal.table import lines_of_table

CLI = Path(cli.__file__).parent
#: ECMA-48 5.4 (CSI in seven and eight bits), 8.3.89 (OSC), 8.3.6 (BS); UAX #9 2 (an override); and
#: line ends, by which a text could add a line of its own.
HOSTILE = "a\x1b[2J\x9b31m\x1b]0;title\x07\x08\x7f\u202e\u2028\x00\r\nDOWN kafka: b"


def is_harmless(words: str) -> bool:
    """Whether nothing but the line ends of the command itself acts on a terminal."""
    return all(line.isprintable() for line in words.split("\n"))


@given(st.text())
def test_a_line_shows_itself_alone(text: str) -> None:
    shown = harmless(text)
    assert is_harmless(shown.replace("\u200c", "").replace("\u200d", ""))
    assert "\n" not in shown
    assert shown == text or not text.isprintable()


@pytest.mark.parametrize("text", ["Hello 👋", "👩‍👩‍👧", "می‌خواهم", "ﷺ", "a  b", ""])
def test_what_people_write_is_shown_as_it_is(text: str) -> None:
    assert harmless(text) == text


def test_a_character_that_is_not_seen_is_shown_as_its_number() -> None:
    assert harmless("a\x1b[2J\u202e") == "a\\u001b[2J\\u202e"


def test_a_table_keeps_its_columns() -> None:
    assert list(lines_of_table(["x", "y"], [[HOSTILE, "1"]]))[1].endswith("  1")
    assert all(map(is_harmless, lines_of_table(["x", HOSTILE], [[HOSTILE, "1"]])))


ROW = {
    "message_id": "0f3a",
    "at": "2026-03-29T12:00:00Z",
    "handset": HOSTILE,
    "number": "447700900999",
    "text": HOSTILE,
}


@pytest.mark.parametrize(
    "words",
    [
        ["review"],
        ["sql", "SELECT 1", "--format", "table"],
        ["ask", "sent-though-stopped", "--param", "since=2026-03-01"],
        ["mt", "show", "c" * 32],
        ["why", "c" * 32],
    ],
    ids=" ".join,
)
def test_a_command_shows_no_control_of_somebody_else(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client = "pipeline.cli.ask.report_client"
    monkeypatch.setattr(f"{client}.report_of", lambda _settings: "report")
    monkeypatch.setattr(f"{client}.answer_lines", lambda *_, **__: [json.dumps(ROW)])
    monkeypatch.setattr(f"{client}.rows", lambda *_, **__: [ROW])
    monkeypatch.setattr("pipeline.cli.mt.show.lines_of_id", lambda *_: iter([HOSTILE]))
    monkeypatch.setattr(sys, "argv", ["twoway", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out = capsys.readouterr().out
    assert (ended.value.code or 0) == 0
    assert "\\u001b" in out
    assert is_harmless(out)
    assert not re.search("^DOWN", out, re.MULTILINE)


def echoed_as_they_came(source: str) -> list[str]:
    """Where lines that were made of records are printed without a look at them."""
    return re.findall(r"for line in lines_of\w*\(.*:\n +typer\.echo\(line\)", source)


def test_every_line_of_records_is_looked_at() -> None:
    found = {
        path.relative_to(CLI).as_posix()
        for path in CLI.rglob("*.py")
        if echoed_as_they_came(path.read_text())
    }
    # A table is harmless in every cell.
    assert found == {"records/answer_forms.py", "records/ready_questions.py"}


@pytest.mark.parametrize(("printer", "is_found"), [("typer.echo", True), ("print_words", False)])
def test_a_line_that_is_echoed_as_it_came_is_found(printer: str, is_found: bool) -> None:
    source = f"for line in lines_of_x(y):\n    {printer}(line)"
    assert bool(echoed_as_they_came(source)) is is_found
