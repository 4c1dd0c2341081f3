"""What a handset or a peer said cannot act on the terminal of an operator who looks at it."""

from __future__ import annotations

import ast
import json
import sys
import unicodedata
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli.records.answer_forms import Form, print_answer
from pipeline.cli.terminal import saying
from pipeline.cli.terminal.output import print_json_line

CLI = Path(saying.__file__).parents[1]
#: They write where a program reads, or what this machine itself says.
OTHERS = {
    "terminal/saying.py",
    "local/jars.py",
    "local/saying.py",
    "report/command.py",  # the progress, in one line
    "records/answer_forms.py",  # CSV as it is, to what is no terminal
}


@pytest.mark.parametrize(
    "text",
    [
        "\x1b]52;c;cm0gLXJmIC8=\x07",  # writes the clipboard (xterm, OSC 52)
        "\x1b[2J\x1b[H",  # clears the screen
        "\x1b]0;title\x1b\\",
        "\x9b2J",  # CSI as one control of ISO 6429
        "\rnothing ever stopped it",
        "\x08\x08\x08open",
        "\u202eneppo",
        "a\u2066b",
        "a\u2028b",
        "\x00",
        "\x7f",
    ],
)
def test_nothing_reaches_the_terminal_that_acts(text: str, capsys: pytest.CaptureFixture) -> None:
    saying.say(f"since noon: {text}")
    shown = capsys.readouterr().out
    assert shown.endswith("\n")
    assert "\\u00" in shown or "\\u20" in shown
    assert not [each for each in shown[:-1] if unicodedata.category(each) in ("Cc", "Cf", "Zl")]


@pytest.mark.parametrize(
    "text", ["ä € 😀", "👨‍👩‍👧", "سلام\u200f", "two\nlines", "a\tb", "\\u001b"]
)
def test_what_does_not_act_is_said_as_it_is(text: str, capsys: pytest.CaptureFixture) -> None:
    saying.say(text, err=True)
    assert capsys.readouterr().err == f"{text}\n"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_line_of_json_says_the_same(text: str) -> None:
    line = msgspec.json.encode({"text": text}).decode()
    shown = saying._ACTS.sub(saying._escaped, line)
    assert json.loads(shown) == {"text": text}


def test_lines_of_json_go_the_same_way(capsys: pytest.CaptureFixture) -> None:
    print_json_line({"text": "\x9b2J\u202e"})
    assert capsys.readouterr().out == '{"text":"\\u009b2J\\u202e"}\n'


def prints(path: Path) -> list[str]:
    """The calls by which a module would write past it."""
    nodes = ast.walk(ast.parse(path.read_text()))
    calls = [ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)]
    return [call for call in calls if call in ("print", "typer.echo", "sys.stdout.write")]


def test_every_command_says_its_lines_so() -> None:
    paths = [path for path in CLI.rglob("*.py") if "demo" not in path.parts]
    found = {path.relative_to(CLI).as_posix(): prints(path) for path in paths}
    assert {name for name, calls in found.items() if calls} <= OTHERS
    assert set(prints(Path(saying.__file__))) == {"typer.echo"}


@pytest.mark.parametrize("form", list(Form))
def test_an_answer_does_nothing_to_a_terminal(
    form: Form, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    print_answer([json.dumps({"text": "a\x1b[2J\x9b2J\rb"})], form)
    shown = capsys.readouterr().out
    assert "\\u001b" in shown
    assert not set(shown) & set("\x1b\x9b\r")
