"""Reads the lines of a CSV from a spreadsheet: UTF-8 or UTF-16, any kind of line end."""

from __future__ import annotations

import codecs
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINE_MAX: Final = 16_384  # characters; the longest correct line has a tenth of that
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class TooLong(NamedTuple):
    """Stands for a line that is too long or cannot be decoded; `words` says which."""

    words: str


@contextmanager
def opened_lines(file: Path) -> Iterator[Iterator[str | TooLong]]:
    """The lines without their ends (LF, CR LF or CR); raises `OSError`.

    A byte order mark is left out. Octets that are not UTF-8, and halves of a surrogate pair,
    become characters that are not printable.
    """
    with file.open("rb") as octets:
        mark = octets.read(2)
    is_wide = mark in _UTF_16
    with file.open(
        encoding="utf-16" if is_wide else "utf-8-sig",
        errors="surrogatepass" if is_wide else "surrogateescape",
        newline=None,
    ) as text:
        yield _lines_of(text)


def _lines_of(text: TextIO) -> Iterator[str | TooLong]:
    while True:
        try:
            line = text.readline(LINE_MAX)
            if not line:
                return
            is_long = len(line) == LINE_MAX and not line.endswith("\n")
            rest = line
            while is_long and len(rest) == LINE_MAX and not rest.endswith("\n"):
                rest = text.readline(LINE_MAX)
        except UnicodeDecodeError:
            yield TooLong("the file is not UTF-16 here: from this line on nothing is read")
            return
        if is_long:
            yield TooLong(f"it has more than {LINE_MAX} characters")
        else:
            yield line.removesuffix("\n")
