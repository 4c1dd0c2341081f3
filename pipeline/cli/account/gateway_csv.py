"""Reads the gateway's own statement as CSV: what it charged for each message.

The columns are known by their names, in any order and spelling; others are left out of account.
Times without a zone are the gateway's: a fixed +02:00 (G8.3).
"""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.cli.consent.csv_file import TooLong, opened_lines
from pipeline.cli.consent.stops_csv import DELIMITERS, WrongLine, WrongTable
from pipeline.sms.msisdn import written_digits

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

#: What a column says -> its names, in small letters and without anything but letters and digits.
COLUMNS_TAKEN: Final = {
    "id": (
        "apimsgid", "apimessageid", "momsgid", "momessageid", "messageid", "msgid", "smsid", "id",
    ),
    "command": ("climsgid", "clientmsgid", "clientmessageid"),
    "time": ("datetime", "date", "time", "timestamp", "senttime", "receivedtime", "messagedate"),
    "kind": ("direction", "type", "kind", "messagetype"),
    "charge": ("charge", "charges", "credits", "creditscharged", "cost", "price", "amount"),
    "from": ("from", "source", "sender", "senderid", "originator"),
    "to": ("to", "destination", "recipient"),
}  # fmt: skip
_MEANING: Final = {name: meaning for meaning, names in COLUMNS_TAKEN.items() for name in names}
_KINDS: Final = {
    "mo": ("mo", "in", "inbound", "incoming", "received", "receive", "twoway", "moreceived"),
    "mt": ("mt", "out", "outbound", "outgoing", "sent", "send", "mtsent"),
    "": ("", "sms", "message", "text"),
}
_KIND: Final = {word: kind for kind, words in _KINDS.items() for word in words}
#: Lines that are of no message: they are counted, and compared with nothing.
_OTHER: Final = frozenset({"topup", "purchase", "payment", "credit", "refund", "voucher"})
_AMOUNT: Final = re.compile(r"([+-]?)([0-9]{0,12})(?:[.]([0-9]{0,9}))?", re.ASCII)
_THIRD: Final = re.compile(r"([0-9]{1,6})/([0-9]{1,7})", re.ASCII)
_GATEWAY_ZONE: Final = timezone(timedelta(hours=2))
_FORMS: Final = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M",
    "%d %b %Y %H:%M:%S", "%d %b %Y %H:%M", "%Y-%m-%d", "%Y/%m/%d", "%d %b %Y",
)  # fmt: skip
_LONGEST_ID: Final = 128
_UNIX_SECONDS: Final = re.compile(r"[0-9]{9,10}", re.ASCII)


class GatewayLine(NamedTuple):
    """What the gateway charged for a message, or for a part: `amount` in credits, never negative.

    `places` are the decimals that it wrote; -1: a fraction, which is exact. `kind` is `mo`, `mt`,
    `other` (no message), or empty where the line does not say.
    """

    line: int
    id: str
    command_id: str
    at: datetime | None
    kind: str
    amount: Fraction
    places: int
    number: str


class _Head(NamedTuple):
    meanings: list[str]
    delimiter: str


def gateway_lines(file: Path) -> Iterator[GatewayLine | WrongLine]:
    """Every line after the head that is not blank; raises `WrongTable`.

    A field cannot hold a line end, so that one wrong quote spoils only one line.
    """
    try:
        with opened_lines(file) as lines:
            head: _Head | None = None
            stated = ""
            for number, line in enumerate(lines, 1):
                if head is None:
                    if isinstance(line, str) and not line.strip():
                        continue
                    if isinstance(line, str) and not stated and line.lower().startswith("sep="):
                        stated = line[4:5]  # Excel's own line, which names the delimiter
                        continue
                    head = _head_from(line, (stated,) if stated else DELIMITERS)
                elif isinstance(line, TooLong):
                    yield WrongLine(number, line.words)
                elif line.strip(f" {head.delimiter}"):
                    yield _line_from(line, number, head)
            if head is None:
                _head_from("", DELIMITERS)
    except OSError as error:
        raise WrongTable(error.strerror or str(error)) from error


def _head_from(line: str | TooLong, delimiters: Sequence[str]) -> _Head:
    if isinstance(line, str) and "\0" not in line:
        for delimiter in delimiters:
            fields = next(csv.reader([line], delimiter=delimiter), [])
            meanings = [_MEANING.get(_bare(name), "") for name in fields]
            if "charge" in meanings and {"id", "command", "time"} & set(meanings):
                return _Head(meanings, delimiter)
    raise WrongTable(
        "the first line must name the columns: charge, and id or time (docs/accounts.md has the"
        " names that are taken)"
    )


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _line_from(line: str, number: int, head: _Head) -> GatewayLine | WrongLine:
    if "\0" in line:
        return WrongLine(number, "it holds a NUL: not a text file, or UTF-16 without a mark")
    try:
        fields = next(csv.reader([line], delimiter=head.delimiter, strict=True))
    except csv.Error as error:
        return WrongLine(number, f"not CSV: {error}")
    if any(field.strip() for field in fields[len(head.meanings) :]):
        return WrongLine(
            number, f"{len(fields)} fields, and there are {len(head.meanings)} columns"
        )
    given: dict[str, list[str]] = {}
    for meaning, field in zip(head.meanings, fields, strict=False):
        if meaning and field.strip():
            given.setdefault(meaning, []).append(field.strip())
    return _checked(given, number)


def _checked(given: dict[str, list[str]], number: int) -> GatewayLine | WrongLine:
    def first(meaning: str) -> str:
        return given.get(meaning, [""])[0]

    charge = _amount_from(first("charge"))
    if charge is None:
        words = "the charge is no amount of credits" if first("charge") else "no charge"
        return WrongLine(number, words)
    bare = _bare(first("kind"))
    kind = "other" if bare in _OTHER else _KIND.get(bare)
    if kind is None:
        return WrongLine(number, "the kind of message is neither MO nor MT")
    for name in ("id", "command"):
        if len(first(name)) > _LONGEST_ID or not first(name).isprintable():
            return WrongLine(number, f"an id is at most {_LONGEST_ID} printable characters")
    at = _time_from(" ".join(given["time"])) if "time" in given else None
    if "time" in given and at is None:
        return WrongLine(number, "the time cannot be read: write it as 2026-03-31 12:05:00")
    if kind != "other" and at is None and not first("id") and not first("command"):
        return WrongLine(number, "neither an id nor a time")
    ours = first("from") if kind == "mt" else first("to") if kind == "mo" else ""
    return GatewayLine(
        line=number,
        id=first("id"),
        command_id=first("command"),
        at=at,
        kind=kind,
        amount=charge[0],
        places=charge[1],
        number=written_digits(ours).removeprefix("+"),
    )


def _amount_from(text: str) -> tuple[Fraction, int] | None:
    """Credits and how many decimals say so; a sign is left out: a statement may list deductions."""
    bare = text.replace(" ", "").replace("\u00a0", "")
    if "," in bare and "." not in bare and bare.count(",") == 1:
        bare = bare.replace(",", ".")  # a decimal comma
    if third := _THIRD.fullmatch(bare.lstrip("+-")):
        return (Fraction(int(third[1]), int(third[2])), -1) if int(third[2]) else None
    found = _AMOUNT.fullmatch(bare)
    if found is None or not (found[2] or found[3]):
        return None
    places = len(found[3] or "")
    return Fraction(int(found[2] + (found[3] or "")), 10**places), places


def _time_from(text: str) -> datetime | None:
    """The time in UTC; None for one that cannot be read, or whose day may be its month."""
    bare = " ".join(text.replace("T", " ").split()) if "T" in text[8:12] else text
    try:
        if _UNIX_SECONDS.fullmatch(bare):
            return datetime.fromtimestamp(int(bare), UTC)
        if re.search(r"(Z|[+-][0-9]{2}:?[0-9]{2})$", bare[10:]):
            return datetime.fromisoformat(bare).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    for form in _FORMS:
        try:
            return datetime.strptime(bare.partition(".")[0], form).replace(tzinfo=_GATEWAY_ZONE)
        except ValueError:
            continue
    return None
