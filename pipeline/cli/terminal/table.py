"""Rows in columns, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.cli.terminal.output import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def lines_of_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines in columns, two blanks apart; every cell is harmless in a terminal."""
    shown = [[harmless(" ".join(cell.split())) for cell in row] for row in (heads, *rows)]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for line in shown:
        yield "  ".join(
            cell.ljust(width) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
