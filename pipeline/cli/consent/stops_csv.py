"""Reads the CSV of `stops import`: each line is a stop, or a wrong line with the reason."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.cli.consent.csv_file import TooLong, opened_lines
from pipeline.sms.msisdn import CANNOT_BE_SENT_TO, handset_from_text, written_digits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COLUMNS: Final = ("handset", "number", "reason")
DELIMITERS: Final = (",", ";", "\t")
REASON_MAX: Final = 1_000
DIGITS_MAX: Final = 20  # longer than any address


class WrongTable(ValueError):
    """The file cannot be read, or its first line does not name the columns; the words say why."""


class Stop(NamedTuple):
    """The handset to stop, the number of ours (empty: the whole account), and the reason."""

    handset: str
    number: str
    reason: str


class WrongLine(NamedTuple):
    """A line that is not taken: its number in the file, and why."""

    line: int
    words: str


class _Head(NamedTuple):
    columns: list[str]
    delimiter: str


def stops_in(file: Path, *, reason: str) -> Iterator[tuple[int, Stop | WrongLine]]:
    """Every line after the head that is not blank, with its number; raises `WrongTable`.

    `reason` is for lines without a reason. A field cannot contain a line end, so one wrong quote
    spoils only one line.
    """
    try:
        with opened_lines(file) as lines:
            head: _Head | None = None
            stated = ""
            for number, line in enumerate(lines, 1):
                if head is None:
                    if number == 1 and isinstance(line, str) and line.lower().startswith("sep="):
                        stated = line[4:5]  # Excel's own line, which names the delimiter
                        continue
                    head = _head_from(line, (stated,) if stated else DELIMITERS)
                elif isinstance(line, TooLong):
                    yield number, WrongLine(number, line.words)
                elif line.strip():
                    yield number, _stop_from(line, number, head, reason)
            if head is None:
                _head_from("", DELIMITERS)
    except OSError as error:
        raise WrongTable(error.strerror or str(error)) from error


def _head_from(line: str | TooLong, delimiters: tuple[str, ...]) -> _Head:
    if isinstance(line, str):
        for delimiter in delimiters:
            if "\0" in line:
                break
            fields = next(csv.reader([line], delimiter=delimiter), [])
            columns = [name.strip().lower() for name in fields]
            while columns and not columns[-1]:  # a delimiter at the end of every line
                columns.pop()
            is_known = set(columns) <= set(COLUMNS) and len(set(columns)) == len(columns)
            if "handset" in columns and is_known:
                return _Head(columns, delimiter)
    raise WrongTable(
        "the first line must name the columns: handset, and number and reason where given"
    )


def _stop_from(line: str, number: int, head: _Head, reason: str) -> Stop | WrongLine:
    if "\0" in line:
        return WrongLine(number, "it holds a NUL: not a text file, or UTF-16 without a mark")
    try:
        fields = next(csv.reader([line], delimiter=head.delimiter, strict=True))
    except csv.Error as error:
        return WrongLine(number, f"not CSV: {error}")
    if any(fields[len(head.columns) :]):
        return WrongLine(number, f"{len(fields)} fields, and there are {len(head.columns)} columns")
    given = dict(zip(head.columns, (field.strip() for field in fields), strict=False))
    if not given.get("handset"):
        return WrongLine(number, "no handset")
    handset = handset_from_text(given["handset"])
    if not handset:
        is_digits = written_digits(given["handset"])
        words = f"the handset {CANNOT_BE_SENT_TO}" if is_digits else "the handset is not digits"
        return WrongLine(number, words)
    address = written_digits(given.get("number", "")).removeprefix("+")
    if given.get("number") and not 0 < len(address) <= DIGITS_MAX:
        return WrongLine(number, "the number is not digits")
    why = given.get("reason", "") or reason
    if not why:
        return WrongLine(number, "no reason, and none was given with --reason")
    if not why.isprintable():  # nor are characters that stand for octets outside UTF-8
        return WrongLine(number, "the reason is not printable UTF-8")
    if len(why) > REASON_MAX:
        return WrongLine(number, f"the reason has more than {REASON_MAX} characters")
    return Stop(handset, address, why)
