"""The conventions of the command line, over every command: help, values, exit codes, completion."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.build_info import built_commit
from pipeline.cli.operate.pipeline_state import PipelineState
from pipeline.cli.records.answer_forms import Form, print_answer
from pipeline.cli.records.ready_questions import ready_questions
from pipeline.cli.terminal.help import OTHERS, SECTIONS, SectionedHelp, first_sentence_of
from pipeline.cli.terminal.saying import CLEARED
from tests.cli.test_main import ALL, ROOT, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WIDTH = 80
#: Names of Python's and click's types: none says what a value is.
TYPES = {"INTEGER", "INTEGER RANGE", "FLOAT", "FLOAT RANGE", "PATH", "FILE_PATH", "BOOLEAN", "ENUM"}
PLAIN = re.compile(r"[A-Z][A-Z0-9_]*(=[A-Z]+)?")


def groups(command: Any, words: str = "") -> Iterator[tuple[str, Any]]:
    """Every group with its words; the root's are empty."""
    yield words, command
    for name, each in command.commands.items():
        if getattr(each, "commands", None):
            yield from groups(each, f"{words} {name}".strip())


GROUPS = dict(groups(ROOT))


def help_of(words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """What `twoway WORDS -h` prints on a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    code, out, _ = run([*words.split(), "-h"], monkeypatch, capsys)
    assert code == 0
    return out


@pytest.mark.parametrize("words", GROUPS, ids=lambda words: words or "twoway")
def test_every_command_of_a_group_is_in_its_help_with_its_whole_summary_in_one_line(
    words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = help_of(words, monkeypatch, capsys).splitlines()
    for name, command in GROUPS[words].commands.items():
        summary = first_sentence_of(command)
        assert summary.endswith(".")
        assert [line for line in lines if re.fullmatch(rf"  {name} +{re.escape(summary)}", line)]
    assert max(map(len, lines)) <= WIDTH


def test_every_command_is_in_one_section() -> None:
    named = [name for names in SECTIONS.values() for name in names]
    assert sorted(named) == sorted(ROOT.commands)
    assert all(isinstance(group, SectionedHelp) for group in GROUPS.values())


def test_a_command_in_no_section_is_shown_and_a_long_summary_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import typer

    other = typer.Typer(cls=SectionedHelp, rich_markup_mode=None, callback=lambda: None)
    words = "One word after the other " * 5

    def long() -> None:
        pass

    long.__doc__ = f"{words}ends. And more."
    other.command("odd")(long)
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    with pytest.raises(SystemExit):
        other(["--help"], prog_name="x")
    out = capsys.readouterr().out
    assert f"{OTHERS}:" in out
    assert " ".join(f"odd {words}ends.".split()) in " ".join(out.split())
    assert "And more" not in out


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_argument_and_option_says_what_it_is_in_a_plain_word(name: str) -> None:
    for param in ALL[name].params:
        assert param.help, param.name
        if param.param_type_name == "option" and param.is_flag:
            continue
        assert param.metavar not in TYPES, param.name
        assert param.metavar, f"{param.name} has no metavar"
        assert PLAIN.fullmatch(param.metavar), param.metavar


@pytest.mark.parametrize("name", sorted(ALL))
def test_the_help_of_a_command_is_plain(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = help_of(name, monkeypatch, capsys)
    usage = out.splitlines()[0]
    assert not re.search(r"[{}<>]|\[\[", usage)
    assert not re.search(r"<\w+>|\bx[<>]=|<=x|\[\]", out)
    options = [param for param in ALL[name].params if param.param_type_name == "option"]
    named = out.partition("Options:")[2].count("[required]")
    assert named >= sum(param.required for param in options)
    assert "[required]" not in out.partition("Arguments:")[2].partition("Options:")[0]
    for param in ALL[name].params:
        if param.param_type_name == "argument":
            is_shown = param.metavar if param.required else f"[{param.metavar}]"
            assert is_shown in usage
            assert re.search(rf"^  {param.metavar}  +\w", out, re.MULTILINE)


@pytest.mark.parametrize("words", ["", "status", "mt show"])
def test_h_is_help(
    words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    short = help_of(words, monkeypatch, capsys)
    _, long, _ = run([*words.split(), "--help"], monkeypatch, capsys)
    assert short == long
    assert short.startswith("Usage: twoway")


def test_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(["--version"], monkeypatch, capsys)
    assert (code, out) == (0, f"twoway {version('twoway')} ({built_commit()})\n")


def test_the_exit_codes_are_in_the_help_and_in_the_page(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], request: Any
) -> None:
    words = help_of("", monkeypatch, capsys).partition("Exit codes:")[2]
    page = (request.config.rootpath / "docs/command-line.md").read_text()
    codes = re.findall(r"^\| (\d+) \|", page, re.MULTILINE)
    assert codes == re.findall(r"\b(\d+) [a-z`]", words)


# Completion


def completed(
    shell: str, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> list[str]:
    """What typer answers a shell."""
    words = line.split(" ")
    asked = {
        "_TWOWAY_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "_TYPER_COMPLETE_WORD_TO_COMPLETE": words[-1],
    }
    for name, value in asked.items():
        monkeypatch.setenv(name, value)
    _, out, _ = run([], monkeypatch, capsys)
    return re.findall(r"[\w-]+", out) if shell == "zsh" else out.split()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("twoway sta", "status"),
        ("twoway mt res", "resolve"),
        ("twoway consume mo-me", "mo-message"),
        ("twoway ask open", "open-when-sent"),
        ("twoway account rec", "reconcile"),
    ],
)
def test_words_are_completed(
    shell: str,
    line: str,
    word: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = completed(shell, line, monkeypatch, capsys)
    assert word in words
    assert "demo" not in words


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_is_one_that_it_reads(
    shell: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, _ = run(["completion", shell], monkeypatch, capsys)
    assert code == 0
    assert "_TWOWAY_COMPLETE" in out
    found = shutil.which(shell) or pytest.skip(f"{shell} is not installed")
    script = tmp_path / "completion"
    script.write_text(out)
    subprocess.run([found, "-n", str(script)], check=True, timeout=30)


def test_a_shell_that_is_not_served_is_wrong_usage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(["completion", "tcsh"], monkeypatch, capsys)
    assert code == 2
    assert "tcsh" in err


# Questions and their answers

LINES = [
    json.dumps({"text": "=1+1", "n": 1, "ids": ["a"], "at": None}),
    json.dumps({"text": "a\nb", "n": 22, "ids": [], "at": "2026"}),
]


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        (Form.JSON, f"{LINES[0]}\n{LINES[1]}\n"),
        (Form.TABLE, 'text  n   ids    at\n=1+1  1   ["a"]\na b   22  []     2026\n'),
        (Form.CSV, 'text,n,ids,at\r\n\'=1+1,1,"[""a""]",\r\n"a\nb",22,[],2026\r\n'),
    ],
)
def test_an_answer_in_each_form(
    form: Form, shown: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    print_answer(LINES, form)
    assert capsysbinary.readouterr().out.decode() == shown


@pytest.mark.parametrize("form", list(Form))
def test_an_answer_without_rows_is_nothing(form: Form, capsys: pytest.CaptureFixture[str]) -> None:
    print_answer([], form)
    assert capsys.readouterr().out == ""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """The report: what it was asked."""
    questions: list[tuple[str, Any]] = []

    def answer(_: str, query: str, *, parameters: Any) -> list[str]:
        questions.append((query, parameters))
        return ['{"n":1}']

    monkeypatch.setattr("pipeline.cli.ask.report_client.answer_lines", answer)
    monkeypatch.setattr("pipeline.cli.ask.report_client.report_of", lambda _settings: "report")
    return questions


@pytest.mark.parametrize("words", [["sql"], ["sql", "-"]], ids=" ".join)
def test_sql_reads_standard_input(
    words: list[str],
    asked: list[tuple[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("SELECT {n:Int8}"))
    code, out, _ = run([*words, "--param", "n=1", "--format", "table"], monkeypatch, capsys)
    assert (code, out) == (0, "n\n1\n")
    assert asked == [("SELECT {n:Int8}", {"n": "1"})]


@pytest.mark.parametrize("name", ready_questions())
def test_every_ready_question_is_listed_and_asked_with_its_parameters(
    name: str,
    asked: list[tuple[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    question = ready_questions()[name]
    code, out, _ = run(["ask"], monkeypatch, capsys)
    assert code == 0
    (line,) = [line for line in out.splitlines() if line.startswith(f"{name} ")]
    assert question.words in line
    code, _, err = run(["ask", name], monkeypatch, capsys)
    assert (code, asked) == (1, [])
    assert f"--param {question.parameters[0]}=VALUE" in err
    given = [word for each in question.parameters for word in ("--param", f"{each}=1")]
    code, out, _ = run(["ask", name, *given], monkeypatch, capsys)
    assert (code, out) == (0, "n\n1\n")
    assert asked == [(question.query, dict.fromkeys(question.parameters, "1"))]


def test_an_unknown_question_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(["ask", "why-me"], monkeypatch, capsys)
    assert (code, err) == (1, "twoway: there is no question 'why-me': `twoway ask` lists them\n")


# status


def state(**given: Any) -> PipelineState:
    from datetime import UTC, datetime

    told = {"time": datetime(2026, 11, 22, tzinfo=UTC), "down": {}, "partitions": None}
    return PipelineState(**told | {"last_mo": None, "dead_letters": None} | given)


@pytest.mark.parametrize(
    ("words", "given", "code"),
    [
        (["status", "--check"], {}, 0),
        (["status", "--check"], {"down": {"kafka": "away"}}, 3),
        (["status", "--check"], {"troubles": [{"process": "sender", "words": "x"}]}, 3),
        (["status"], {"down": {"kafka": "away"}}, 0),
        (["status", "--check", "--json"], {"down": {"kafka": "away"}}, 3),
    ],
)
def test_status_has_an_exit_code_for_who_asks_for_it(
    words: list[str],
    given: dict[str, Any],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(
        "pipeline.cli.operate.pipeline_state.pipeline_state", lambda _settings: state(**given)
    )
    assert run(words, monkeypatch, capsys)[0] == code


@pytest.mark.parametrize("is_terminal", [True, False])
@pytest.mark.parametrize("words", [[], ["--json"]], ids=" ".join)
def test_status_is_shown_again_until_ctrl_c(
    words: list[str],
    is_terminal: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("pipeline.cli.operate.status.time.sleep", sleep)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_terminal)
    monkeypatch.setattr(
        "pipeline.cli.operate.pipeline_state.pipeline_state", lambda _settings: state()
    )
    code, out, _ = run(["status", "--watch", "2", *words], monkeypatch, capsys)
    assert (code, slept) == (130, [2.0, 2.0, 2.0])
    assert out.count("2026-11-22T00:00:00Z") == 3
    assert out.count(CLEARED) == (3 if is_terminal and not words else 0)


@pytest.mark.parametrize("name", ready_questions())
def test_a_ready_question_takes_a_time_as_people_write_it(name: str) -> None:
    """ClickHouse's own DateTime64 refuses the Z of ISO 8601."""
    assert set(re.findall(r"\{\w+:([^}]*)\}", ready_questions()[name].query)) == {"String"}
