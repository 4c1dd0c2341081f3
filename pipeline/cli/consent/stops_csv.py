"""The CSV of `stops import`: line by line, each a stop or what is wrong with it."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.sms.msisdn import address_from_text, is_digits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COLUMNS: Final = ("handset", "number", "reason")
REASON_MAX: Final = 1_000
DIGITS_MAX: Final = 20  # more than any address has; what is longer is no address


class WrongTable(ValueError):
    """The file as a whole is no such table; the words say why."""


class Stop(NamedTuple):
    """Who is to be stopped, for which number (empty: the account), and why."""

    handset: str
    number: str
    reason: str


class WrongLine(NamedTuple):
    """A line that is not taken, by its number in the file."""

    line: int
    words: str


def stops_in(file: Path, *, reason: str) -> Iterator[tuple[int, Stop | WrongLine]]:
    """Each line but the first and blank ones, with its number; raises `WrongTable`.

    `reason` is for lines without one. No field holds a line end, so that one wrong quote spoils
    one line.
    """
    try:
        with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="\n") as lines:
            columns = _columns_from(next(lines, ""))
            for number, line in enumerate(lines, 2):
                if line.strip():
                    yield number, _stop_from(line, number, columns, reason)
    except OSError as error:
        raise WrongTable(error.strerror or str(error)) from error


def _columns_from(line: str) -> list[str]:
    columns = [name.strip().lower() for name in next(csv.reader([line]), [])]
    unknown = [name for name in columns if name not in COLUMNS]
    if "handset" not in columns or unknown or len(set(columns)) < len(columns):
        raise WrongTable(
            "the first line must name the columns: handset, and number and reason where given"
        )
    return columns


def _stop_from(line: str, number: int, columns: list[str], reason: str) -> Stop | WrongLine:
    try:
        fields = next(csv.reader([line.rstrip("\r\n")], strict=True))
    except csv.Error as error:
        return WrongLine(number, f"not CSV: {error}")
    if len(fields) > len(columns):
        return WrongLine(number, f"{len(fields)} fields, and there are {len(columns)} columns")
    given = dict(zip(columns, (field.strip() for field in fields), strict=False))
    addresses = {name: address_from_text(given.get(name, "")) for name in ("handset", "number")}
    for name, address in addresses.items():
        is_right = is_digits(address) and len(address) <= DIGITS_MAX
        if not is_right and (address or name == "handset"):
            return WrongLine(number, f"the {name} is not digits" if address else f"no {name}")
    why = given.get("reason") or reason
    if not why:
        return WrongLine(number, "no reason, and none was given with --reason")
    if not why.isprintable():  # octets that are no UTF-8 are not, either
        return WrongLine(number, "the reason is not printable UTF-8")
    if len(why) > REASON_MAX:
        return WrongLine(number, f"the reason has more than {REASON_MAX} characters")
    return Stop(addresses["handset"], addresses["number"], why)
