"""`ask`: the ready questions of `deploy/clickhouse/questions`, each with its parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files
from typing import Annotated, Final

import typer

from pipeline.cli.records.answer_forms import (
    Form,
    FormOption,
    ParamOption,
    parameters_from_words,
    print_answer,
)
from pipeline.cli.terminal.failure import CommandError
from pipeline.cli.terminal.options import Home, settings_from
from pipeline.cli.terminal.saying import say
from pipeline.cli.terminal.table import lines_of_table

_FOLDER: Final = "questions"
_PARAMETER: Final = re.compile(r"\{(\w+):")


@dataclass(frozen=True, slots=True)
class ReadyQuestion:
    """A question with a name; `words` are the first sentence of its file."""

    name: str
    words: str
    query: str
    parameters: tuple[str, ...]


def ready_questions() -> dict[str, ReadyQuestion]:
    """Every ready question by its name, which is its file's with - for _."""
    found = {}
    for file in files("deploy.clickhouse").joinpath(_FOLDER).iterdir():
        if file.name.endswith(".sql"):
            name = file.name.removesuffix(".sql").replace("_", "-")
            found[name] = _question_from_text(name, file.read_text(encoding="utf-8"))
    return dict(sorted(found.items()))


def _question_from_text(name: str, text: str) -> ReadyQuestion:
    lines = text.splitlines()
    comments = [line.removeprefix("--").strip() for line in lines if line.startswith("--")]
    query = "\n".join(line for line in lines if not line.startswith("--")).strip()
    parameters = tuple(dict.fromkeys(_PARAMETER.findall(query)))
    return ReadyQuestion(name, comments[0], query, parameters)


def _names_from(incomplete: str) -> list[str]:
    """The questions that begin so, for a shell that completes."""
    return [name for name in ready_questions() if name.startswith(incomplete)]


def ask(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="QUESTION",
            help="Its name. Default: list all.",
            show_default=False,
            autocompletion=_names_from,
        ),
    ] = None,
    param: ParamOption = None,
    form: FormOption = Form.TABLE,
    home: Home = None,
) -> None:
    """Ask a ready question of ClickHouse, or list the questions there are.

    The same statements are in deploy/clickhouse/questions, for POST {report}/sql.
    """
    questions = ready_questions()
    if name is None:
        rows = [[one.name, " ".join(one.parameters), one.words] for one in questions.values()]
        for line in lines_of_table(["question", "parameters", "what it asks"], rows):
            say(line)
        return
    question = questions.get(name.replace("_", "-"))
    if question is None:
        raise CommandError(f"there is no question {name[:64]!r}: `twoway ask` lists them")
    given = parameters_from_words(param or [])
    if missing := [each for each in question.parameters if each not in given]:
        raise CommandError(f"{question.name} needs --param {missing[0]}=VALUE")
    settings = settings_from(home=home)
    from pipeline.cli.ask.report_client import answer_lines, report_of

    print_answer(answer_lines(report_of(settings), question.query, parameters=given), form)
