"""The command line as a whole: help, examples, and how it fails."""

from __future__ import annotations

import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import typer

from pipeline.cli import main as cli

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# The commands others rely on.
COMMANDS_RELIED_ON = {
    "up",
    "user add",
    "user list",
    "user password",
    "user remove",
    "user rights",
    "demo",
    "worker",
    "leave",
    "backup",
    "restore",
    "ingest",
    "store",
    "smpp",
    "ftp",
    "sender",
    "deliver",
    "deliver try",
    "delivery list",
    "delivery retry",
    "delivery replay",
    "credit",
    "account show",
    "account statement",
    "account reconcile",
    "apis check",
    "apis try",
    "phone",
    "import",
    "status",
    "tail",
    "consume",
    "mt",
    "mt show",
    "mt resolve",
    "sql",
    "ask",
    "report",
    "completion",
    "dead-letter list",
    "dead-letter retry",
    "clock",
    "clock advance",
    "clock reset",
    "numbers load",
    "numbers check",
    "stop",
    "open",
    "forget",
    "stops import",
    "why",
    "replay",
    "review",
    "review accept",
    "review dismiss",
    "gateway",
    "gateway seen",
    "accounts",
    "text",
}


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command with its words, and the groups that are commands themselves."""
    for name, command in group.commands.items():
        words = (*path, name)
        inner = getattr(command, "commands", None)
        if inner is None or command.invoke_without_command:
            yield " ".join(words), command
        if inner is not None:
            yield from commands(command, words)


ROOT = typer.main.get_command(cli.app)
ALL = dict(commands(ROOT))


def run(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command line."""
    monkeypatch.setattr(sys, "argv", ["twoway", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def test_the_commands_are_those_of_spec_11() -> None:
    assert set(ALL) == COMMANDS_RELIED_ON


@pytest.mark.parametrize("name", sorted(ALL))
def test_help_has_an_example_that_is_a_command_line(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run([*name.split(), "--help"], monkeypatch, capsys)
    assert code == 0
    found = " ".join(out.partition("Example: ")[2].split())
    program, *words = shlex.split(found)
    assert program == "twoway"
    assert " ".join(words).startswith(name)
    arguments = words[len(name.split()) :]
    ALL[name].make_context(name, arguments)  # raises when it is no command line


@pytest.mark.parametrize("name", sorted(set(ALL) - {"completion"}))  # it asks nobody
def test_every_command_takes_a_home(name: str) -> None:
    assert "--home" in {option for param in ALL[name].params for option in param.opts}


USAGE = [
    ["consume"],
    ["nonsense"],
    ["mt", "--to", "447700900001"],
    ["mt", "--to", "447700900001", "--text", "x", "--not-after", "tomorrow"],
    ["mt", "--to", "447700900001", "--text", "x", "--not-after", "2026-11-22T18:00:00"],
    ["mt", "--to", "447700900001", "--text", "x", "--request-id", "a b"],
    ["stop", "447700900001"],
    ["stop", "447700900001", "--reason", " "],
    ["stop", "ACME", "--reason", "x"],
    ["open", "447700900001", "ACME", "--reason", "x"],
    ["open", "447700900001", "--keyword", "FUN", "--reason", "x"],
    ["stop", "447700900001", "12345", "--account", "main", "--reason", "x"],
    ["review", "accept", "--reason", "x"],
    ["why", "ACME"],
    ["replay", "--rule", "numbers.toml", "--since", "yesterday"],
    ["clock", "advance", "six hours"],
    ["clock", "advance"],
    ["up", "--http-port", "70000"],
    ["consume", "mo-raw", "--max", "0"],
]


@pytest.mark.parametrize("arguments", USAGE, ids=" ".join)
def test_wrong_usage_exits_with_2(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(arguments, monkeypatch, capsys)
    assert (code, out) == (2, "")
    assert "Error: " in err


NO_STACK = [
    ["dead-letter", "retry", "0f3a"],
    ["status"],
    ["consume", "mo-message"],
    ["mt", "--to", "447700900001", "--text", "x"],
    ["stop", "447700900001", "--reason", "x"],
    ["dead-letter", "list"],
    ["clock"],
    ["clock", "-v"],
    ["clock", "advance", "6h"],
    ["sql", "SELECT 1"],
    ["why", "447700900001"],
    ["review"],
    ["review", "accept", "0f3a", "--reason", "x"],
    ["replay", "--rule", "deploy/local/numbers.example.toml", "--since", "2026-03-01"],
    ["forget", "447700900001", "--reason", "x"],
    ["leave", "worker-3"],
    ["numbers", "load", "deploy/local/numbers.example.toml"],
    ["stops", "import", "pyproject.toml"],
    ["import", "pyproject.toml"],
]


@pytest.mark.parametrize("arguments", NO_STACK, ids=" ".join)
def test_without_a_stack_one_sentence_says_how_to_start_one(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, _, err = run([*arguments, "--home", str(tmp_path)], monkeypatch, capsys)
    assert code == 1
    assert err.count("\n") == 1
    assert err.startswith("twoway: no ")
    assert "twoway up" in err


UNREACHABLE = [
    ["status"],
    ["consume", "mo-message"],
    ["mt", "--to", "447700900001", "--text", "x"],
    ["dead-letter", "list"],
    ["clock", "-v"],
]


@pytest.fixture
def dead_broker(monkeypatch: pytest.MonkeyPatch) -> str:
    """An address nobody listens on: port 1 of loopback."""
    monkeypatch.setenv("TWOWAY_KAFKA", "127.0.0.1:1")
    return "127.0.0.1:1"


@pytest.mark.parametrize("arguments", UNREACHABLE[1:], ids=" ".join)
def test_a_broker_that_is_away_is_one_sentence(
    arguments: list[str],
    dead_broker: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, _, err = run([*arguments, "--home", str(tmp_path)], monkeypatch, capsys)
    assert code == 1
    assert err.count("\n") == 1
    assert f"the broker at {dead_broker} " in err


def test_status_says_what_is_down_when_everything_is(
    dead_broker: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TWOWAY_HTTP_PORT", "1")
    monkeypatch.setenv("TWOWAY_REPORT_PORT", "1")
    code, out, err = run(["status", "--home", str(tmp_path)], monkeypatch, capsys)
    assert (code, err) == (0, "")
    assert [line.split()[1] for line in out.splitlines() if line.startswith("DOWN")] == [
        "kafka:",
        "ingest:",
        "store:",
    ]


def test_a_report_that_is_away_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TWOWAY_REPORT_PORT", "1")
    code, _, err = run(["sql", "SELECT 1", "--home", str(tmp_path)], monkeypatch, capsys)
    assert code == 1
    assert err.startswith("twoway: http://127.0.0.1:1 does not answer: ")
    assert err.count("\n") == 1


def test_an_unknown_setting_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TWOWAY_HTP_PORT", "1")
    code, _, err = run(["status", "--home", str(tmp_path)], monkeypatch, capsys)
    assert code == 1
    assert err == "twoway: TWOWAY_HTP_PORT: there is no setting 'htp_port'\n"


def test_a_home_given_before_advance_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["clock", "--home", str(tmp_path), "advance", "6h"]
    code, _, err = run(arguments, monkeypatch, capsys)
    assert code == 1
    assert str(tmp_path) in err


@pytest.mark.parametrize("heavy", ["faust", "chdb", "kafka", "aiokafka", "clickhouse_connect"])
def test_starting_loads_nothing_heavy(heavy: str) -> None:
    words = f"import sys, pipeline.cli.main; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", words], check=False).returncode == 0


def test_the_ways_in_load_what_they_need() -> None:
    """A way in takes messages by its own server or client, and writes by aiokafka."""
    words = (
        "import sys, ingest.http.process, ingest.smpp.process, ingest.ftp.process;"
        " sys.exit(bool({'kafka', 'aiohttp'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", words], check=False).returncode == 0


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("mt", "Missing option '--to'."),
        ("mt --text x", "Missing option '--to'."),
        ("mt --to 447700900001", "Missing option '--text'."),
        ("mt resolve c --reason x", "say --sent or --not-sent"),
        ("mt resolve c --sent", "Missing option '--reason'."),
        ("mt show", "Missing argument 'COMMAND_OR_REQUEST_ID'."),
    ],
)
def test_what_is_missing_is_named(
    line: str, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["twoway", *line.split()])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("line", ["mt show", "why"])
def test_the_path_of_a_command_is_told_by_both(
    line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = {"c" * 32: iter(["its path"])}
    monkeypatch.setattr("pipeline.cli.mt.show.lines_of_id", lambda _settings, name: told[name])
    monkeypatch.setattr(sys, "argv", ["twoway", *line.split(), "c" * 32])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert (ended.value.code or 0) == 0
    assert capsys.readouterr().out == "its path\n"
