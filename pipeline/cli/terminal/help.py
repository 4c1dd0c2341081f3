"""The help of a command in plain words, and of a group in sections with whole first sentences."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The commands by what a reader is about to do.
SECTIONS: Final = {
    "Run it here": ("up", "demo", "gateway", "text", "phone"),
    "Messages": ("mt", "tail", "consume", "import"),
    "Consent": ("why", "stop", "open", "stops", "review", "forget"),
    "Accounts": ("credit", "account"),
    "Questions": ("status", "sql", "ask", "report", "replay"),
    "Operate": (
        "numbers",
        "apis",
        "delivery",
        "dead-letter",
        "user",
        "clock",
        "leave",
        "backup",
        "restore",
    ),
    "One process each": (
        "worker",
        "ingest",
        "smpp",
        "ftp",
        "sender",
        "deliver",
        "accounts",
        "store",
    ),
    "This command line": ("completion",),
}
OTHERS: Final = "Commands"
EXIT_CODES: Final = (
    "Exit codes: 0 done; 1 it could not be done, and stderr says why; 2 wrong usage; 3 `status"
    " --check` found something down; 130 ended by Ctrl-C."
)


_RANGE: Final = re.compile(r"(-?[\d.]+<=?)?x([<>]=?-?[\d.]+)?")
_EXTRA: Final = re.compile(r"  \[([^\]]*)\]$")


class _Plain:
    """Values by their plain words: no braces, no types, no ranges in the manner of a formula."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """What follows the name: `HANDSET [NUMBER]`."""
        pieces: list[str] = super().collect_usage_pieces(ctx)  # type: ignore[misc]  # a mixin
        return [re.sub("[{}]", "", piece) for piece in pieces]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments, options and, of a group, commands."""
        rows: dict[str, list[tuple[str, str]]] = {"argument": [], "option": []}
        for param in self.get_params(ctx):  # type: ignore[attr-defined]  # a mixin
            record = param.get_help_record(ctx)
            if record is None:
                continue
            is_argument = param.param_type_name == "argument"
            name = param.metavar if is_argument else record[0]
            unsaid = {"required"} if is_argument else set()  # the usage line shows it
            rows[param.param_type_name].append((name, _plain_help(record[1], unsaid)))
        for title, found in (("Arguments", rows["argument"]), ("Options", rows["option"])):
            if found:
                with formatter.section(title):
                    formatter.write_dl(found)


def _plain_help(help: str, unsaid: set[str]) -> str:
    """The words about a value, without a range and without what is said elsewhere."""

    def shown(extra: re.Match[str]) -> str:
        kept = [each for each in extra[1].split("; ") if each not in unsaid]
        words = "; ".join(each for each in kept if not _RANGE.fullmatch(each))
        return f"  [{words}]" if words else ""

    return _EXTRA.sub(shown, help)


class PlainCommand(_Plain, TyperCommand):
    """A command whose help is plain."""


class SectionedHelp(_Plain, TyperGroup):
    """Lists its commands by `SECTIONS`; those that are in none, such as `mt show`, together."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the options, then the commands."""
        super().format_options(ctx, formatter)
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the sections; no summary is cut, a long one goes on in the next line."""
        for title, names in _sections_of(self.commands):
            with formatter.section(title):
                rows = [(name, first_sentence_of(self.commands[name])) for name in names]
                formatter.write_dl(rows)


def _sections_of(commands: Any) -> Iterator[tuple[str, list[str]]]:
    placed = {name for names in SECTIONS.values() for name in names}
    for title, names in [*SECTIONS.items(), (OTHERS, [n for n in commands if n not in placed])]:
        shown = [name for name in names if name in commands]
        if shown:
            yield title, shown


def first_sentence_of(command: Any) -> str:
    """The first sentence of a command's help."""
    paragraph = " ".join((command.help or "").strip().partition("\n\n")[0].split())
    sentence, end, _ = paragraph.partition(". ")
    return f"{sentence}." if end else paragraph
