"""Prints the steps of the demo, asks ClickHouse for their effects, and checks them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pipeline.cli.ask.report_client import rows
from pipeline.cli.ask.waiting import wait_for
from pipeline.cli.terminal.failure import CommandError

if TYPE_CHECKING:
    from rich.console import Console

EFFECT_SECONDS: Final = 60
SAFE: Final = re.compile(r"[0-9A-Za-z:_-]+", re.ASCII)


Having = tuple[str, str] | None


class Scene:
    """Prints what happens, waits for each effect and checks it. A failed check ends the demo."""

    def __init__(self, *, console: Console, report: str) -> None:
        self._console = console
        self._report = report
        self._steps = 0
        self.checks = 0

    def step(self, title: str) -> None:
        """Open the next step."""
        self._steps += 1
        self._console.print(f"\n[bold]{self._steps}. {title}[/bold]")

    def say(self, words: str) -> None:
        """Print one line."""
        self._console.print(f"   {words}", highlight=False, markup=False, soft_wrap=True)

    def expect(self, words: str, *, got: Any, wanted: Any) -> None:
        """Check that `got` is `wanted`; raises `CommandError` with both values if not."""
        if got != wanted:
            raise CommandError(f"the demo expected {words}: {wanted!r}, but it was {got!r}")
        self.checks += 1
        self._console.print(f"   [green]ok[/green] {words}", highlight=False)

    def first(self, view: str, *, what: str, having: Having = None, **where: str) -> dict[str, Any]:
        """The first row of the view with those values, as soon as ClickHouse has one.

        `having` names an array column and a value that it must hold.
        """

        def found() -> dict[str, Any] | None:
            rows_found = self.all(view, **where)
            return next(
                (row for row in rows_found if having is None or having[1] in row[having[0]]), None
            )

        return wait_for(found, seconds=EFFECT_SECONDS, failure=f"ClickHouse did not show {what}")

    def all(self, view: str, **where: str) -> list[dict[str, Any]]:
        """The rows of the view with those values, in any order."""
        return self.rows(f"SELECT * FROM {view} WHERE {condition(**where)}")  # noqa: S608  see condition

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The rows of a query."""
        return rows(self._report, sql)


def condition(**where: str) -> str:
    """`a = 'x' AND b = 'y'`; raises `ValueError` for a value that would need escaping."""
    for value in where.values():
        if not SAFE.fullmatch(value):
            raise ValueError(f"{value!r} would need escaping")
    return " AND ".join(f"{name} = '{value}'" for name, value in where.items())
