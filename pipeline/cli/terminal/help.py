"""The help of a group: its commands in sections, each with its whole first sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from typer.core import TyperGroup

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The commands by what a reader is about to do.
SECTIONS: Final = {
    "Run it here": ("up", "demo", "gateway", "text", "phone"),
    "Messages": ("mt", "consume", "import"),
    "Consent": ("why", "stop", "open", "stops", "review", "forget"),
    "Questions": ("status", "sql", "ask", "replay"),
    "Operate": ("numbers", "apis", "dead-letter", "clock", "leave"),
    "One process each": ("worker", "ingest", "smpp", "ftp", "sender", "store"),
    "This command line": ("completion",),
}
OTHERS: Final = "Commands"
EXIT_CODES: Final = (
    "Exit codes: 0 done; 1 it could not be done, and stderr says why; 2 wrong usage; 3 `status"
    " --check` found something down; 130 ended by Ctrl-C."
)


class SectionedHelp(TyperGroup):
    """Lists its commands by `SECTIONS`; those that are in none, such as `mt show`, together."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the sections; no summary is cut, a long one goes on in the next line."""
        for title, names in _sections_of(self.commands):
            with formatter.section(title):
                formatter.write_dl(
                    [(name, first_sentence_of(self.commands[name])) for name in names]
                )


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
