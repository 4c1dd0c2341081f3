"""Compares the gateway's statement with our ledger, message by message."""

from __future__ import annotations

from bisect import bisect_left
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.credits import UNITS_PER_CREDIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipeline.cli.account.gateway_csv import GatewayLine

#: What has no id on our side is the gateway's line of the same cost within this time.
NEAR: Final = timedelta(minutes=10)
#: With fewer decimals a charge must be exact: 0 would be a third, rounded.
FEWEST_PLACES: Final = 2
MOST_PLACES: Final = 9


class OurCharge(NamedTuple):
    """What our ledger has of a message: `units` cost, above zero.

    `ids` are the gateway's own ids of it. `is_held`: it is charged, and waits for credits.
    """

    reference: str
    kind: str
    at: datetime
    number: str
    units: int
    ids: tuple[str, ...]
    is_held: bool = False


class Mismatch(StrEnum):
    """In what the two statements differ."""

    DIFFERS = "differs"
    THEIRS = "only-theirs"
    OURS = "only-ours"


class Discrepancy(NamedTuple):
    """One difference. `line` is that of the file, 0 where the file has none."""

    side: Mismatch
    line: int
    id: str
    kind: str
    at: datetime | None
    number: str
    ours: int | None  # units
    theirs: Fraction | None  # credits
    words: str = ""


class Comparison(NamedTuple):
    """What agrees, by number, and each difference."""

    agreed: int
    differences: list[Discrepancy]
    theirs: Fraction
    ours: int


def compare(
    lines: Iterable[GatewayLine],
    charges: Iterable[OurCharge],
    *,
    since: datetime,
    until: datetime,
) -> Comparison:
    """Compare all lines of messages with all charges.

    Of charges the gateway's file lacks, those of [`since`, `until`] count: the others may stand in
    the statement before or after.
    """
    theirs = [line for line in lines if line.kind != "other"]
    by_id = _lines_by_id(theirs)
    taken: set[int] = set()
    agreed, ours_total = 0, 0
    differences: list[Discrepancy] = []
    nameless: list[OurCharge] = []
    for charge in charges:
        is_within = since <= charge.at <= until
        if found := _take_lines(charge, by_id, taken):
            ours_total += charge.units
            if agrees(found, charge.units):
                agreed += 1
            else:
                differences.append(_different(charge, found))
        elif not charge.ids:
            nameless.append(charge)
            ours_total += charge.units * is_within
        elif is_within and not charge.is_held:
            ours_total += charge.units
            differences.append(_only_ours(charge))
    near = _Near(line for line in theirs if line.line not in taken and line.at is not None)
    for charge in nameless:
        line = near.take(charge)
        if line is not None:
            taken.add(line.line)
            agreed += 1
        elif since <= charge.at <= until and not charge.is_held:
            differences.append(_only_ours(charge))
    differences += [_only_theirs(line) for line in theirs if line.line not in taken]
    total = sum((line.amount for line in theirs), Fraction())
    return Comparison(agreed=agreed, differences=differences, theirs=total, ours=ours_total)


def _lines_by_id(lines: Iterable[GatewayLine]) -> dict[tuple[str, str], list[GatewayLine]]:
    """The lines by id and kind."""
    found: dict[tuple[str, str], list[GatewayLine]] = {}
    for line in lines:
        for id in {line.id.lower(), line.command_id.lower()} - {""}:
            found.setdefault((id, line.kind), []).append(line)
    return found


def _take_lines(
    charge: OurCharge, by_id: dict[tuple[str, str], list[GatewayLine]], taken: set[int]
) -> list[GatewayLine]:
    """The lines of a charge: one for each part, or one for all, or two that count it twice.

    They are gone for another charge of the same id, so that each line is looked at once.
    """
    found: list[GatewayLine] = []
    for id in (*charge.ids, charge.reference):
        for kind in (kind_of(charge), ""):
            for line in by_id.pop((id.lower(), kind), ()):
                if line.line not in taken:
                    taken.add(line.line)
                    found.append(line)
    return found


def kind_of(charge: OurCharge) -> str:
    """`mo` or `mt`: to the gateway its confirmation is an MT."""
    return "mo" if charge.kind == "mo" else "mt"


def agrees(lines: Iterable[GatewayLine], units: int) -> bool:
    """Whether the lines make the cost, each as far as it was written.

    A third is 0.33, 0.34 or 0.333333: what has two decimals or more may be rounded in the last.
    """
    found = list(lines)
    cost = Fraction(units, UNITS_PER_CREDIT)
    total = sum((line.amount for line in found), Fraction())
    if total == cost:
        return True
    slack = sum((Fraction(1, 10**line.places) for line in found if _may_round(line)), Fraction())
    return abs(total - cost) < slack


def _may_round(line: GatewayLine) -> bool:
    return line.places >= FEWEST_PLACES


class _Near:
    """Lines by kind, number and cost, in the order of their times."""

    def __init__(self, lines: Iterable[GatewayLine]) -> None:
        self._lines: dict[tuple[str, str, Fraction], list[tuple[datetime, int, GatewayLine]]] = {}
        for line in lines:
            if line.at is not None:
                key = (line.kind, line.number, line.amount)
                self._lines.setdefault(key, []).append((line.at, line.line, line))
        for each in self._lines.values():
            each.sort(key=lambda entry: entry[:2])

    def take(self, charge: OurCharge) -> GatewayLine | None:
        """The nearest line of this cost, which is then gone; None within `NEAR` there is none."""
        best: tuple[timedelta, tuple[str, str, Fraction], int] | None = None
        for key in self._keys(charge):
            lines = self._lines.get(key, [])
            at = bisect_left(lines, charge.at, key=lambda entry: entry[0])
            for index in (at - 1, at):
                if 0 <= index < len(lines):
                    away = abs(lines[index][0] - charge.at)
                    if away <= NEAR and (best is None or away < best[0]):
                        best = (away, key, index)
        if best is None:
            return None
        return self._lines[best[1]].pop(best[2])[2]

    @staticmethod
    def _keys(charge: OurCharge) -> Iterator[tuple[str, str, Fraction]]:
        for amount in written_forms(charge.units):
            for kind in (kind_of(charge), ""):
                for number in {charge.number, ""}:
                    yield kind, number, amount


def written_forms(units: int) -> set[Fraction]:
    """The amounts as which a cost may be written: exactly, or rounded up or down."""
    cost = Fraction(units, UNITS_PER_CREDIT)
    found = {cost}
    for places in range(FEWEST_PLACES, MOST_PLACES + 1):
        scale = 10**places
        below = cost * scale // 1
        found |= {Fraction(below, scale), Fraction(-(-cost * scale // 1), scale)}
    return found


def _different(charge: OurCharge, lines: list[GatewayLine]) -> Discrepancy:
    total = sum((line.amount for line in lines), Fraction())
    words = "they charge it more than once" if len(lines) > max(1, len(charge.ids)) else ""
    return Discrepancy(
        Mismatch.DIFFERS, lines[0].line, lines[0].id or charge.reference, charge.kind, charge.at,
        charge.number, charge.units, total, words,
    )  # fmt: skip


def _only_ours(charge: OurCharge) -> Discrepancy:
    id = charge.ids[0] if charge.ids else charge.reference
    return Discrepancy(
        Mismatch.OURS, 0, id, charge.kind, charge.at, charge.number, charge.units, None
    )


def _only_theirs(line: GatewayLine) -> Discrepancy:
    return Discrepancy(
        Mismatch.THEIRS, line.line, line.id or line.command_id, line.kind, line.at, line.number,
        None, line.amount,
    )  # fmt: skip
