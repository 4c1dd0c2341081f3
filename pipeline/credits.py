"""Credits as integers: 1/3,000,000 credit is one unit, so thirds and six decimals are exact."""

from __future__ import annotations

import re
from typing import Final

UNITS_PER_CREDIT: Final = 3_000_000
MOST_UNITS: Final = 2**63 - 1  # a long of Avro, an Int64 of ClickHouse
#: The most that one price or one order may be: a billion credits. Thousands of them fit a long.
MOST_UNITS_AT_ONCE: Final = 1_000_000_000 * UNITS_PER_CREDIT
# `0.300000`, and what XML Schema 1.0 part 2, 3.2.4 has of a float: `3.0E-1`. No sign but a plus.
_DECIMAL: Final = re.compile(r"\+?([0-9]{1,24})?(?:\.([0-9]{0,24}))?(?:[eE]([+-]?[0-9]{1,2}))?")
# `1`, `0.3`, `1/3`, `4 1/3`, and any of them with a minus before it.
_AMOUNT: Final = re.compile(
    r"(?P<minus>-)?(?:(?P<whole>[0-9]{1,24})(?:\.(?P<fraction>[0-9]{1,24}))?"
    r"|(?:(?P<before>[0-9]{1,24})[ ]+)?(?P<above>[0-9]{1,24})/(?P<below>[0-9]{1,24}))",
    re.ASCII,
)
_DECIMALS: Final = 6


class AmountError(ValueError):
    """A text is no amount of credits; the words say why, for the field that holds it."""


def units_from_text(text: str) -> int | None:
    """The units of a decimal number of credits; None if it is none, or no whole number of units."""
    found = _DECIMAL.fullmatch(text.strip())
    if found is None or not (found[1] or found[2]):
        return None
    whole, fraction, exponent = found[1] or "", found[2] or "", int(found[3] or 0)
    shift = exponent - len(fraction)
    units = int(whole + fraction) * UNITS_PER_CREDIT
    if shift >= 0:
        units *= 10**shift
    else:
        units, rest = divmod(units, 10**-shift)
        if rest:
            return None
    return units if units <= MOST_UNITS else None


def units_from_amount(text: str) -> int:
    """The units of what an operator writes: `1`, `0.3`, `1/3`, `4 1/3`, `-2`.

    Raises `AmountError` for what is no number, no whole number of units, or beyond a billion
    credits.
    """
    found = _AMOUNT.fullmatch(text.strip())
    if found is None:
        raise AmountError(f"{text.strip()[:40]!r} is no number of credits, such as 1/3, 0.3 or 1")
    if found["whole"] is not None:
        fraction = found["fraction"] or ""
        above, below = int(found["whole"] + fraction), int("1" + "0" * len(fraction))
    else:
        below = int(found["below"])
        above = int(found["above"]) + int(found["before"] or 0) * below
    if not below:
        raise AmountError(f"{text.strip()[:40]!r} divides by zero")
    units, rest = divmod(above * UNITS_PER_CREDIT, below)
    if rest:
        raise AmountError(f"{text.strip()[:40]!r} is no multiple of 1/{UNITS_PER_CREDIT:,} credit")
    if units > MOST_UNITS_AT_ONCE:
        most = MOST_UNITS_AT_ONCE // UNITS_PER_CREDIT
        raise AmountError(f"{text.strip()[:40]!r} is more than {most:,} credits")
    return -units if found["minus"] else units


def amount_from_units(units: int) -> str:
    """The exact number of credits: `1`, `0.3`, `1/3`, `4 1/3`. `units_from_amount` reads it."""
    minus, units = "-" if units < 0 else "", abs(units)
    whole, rest = divmod(units, UNITS_PER_CREDIT)
    if not rest:
        return f"{minus}{whole}"
    per_decimal = UNITS_PER_CREDIT // 10**_DECIMALS
    if rest % per_decimal == 0:
        decimals = f"{rest // per_decimal:0{_DECIMALS}d}".rstrip("0")
        return f"{minus}{whole}.{decimals}"
    below = UNITS_PER_CREDIT
    for prime in (2, 3, 5):
        while rest % prime == 0 and below % prime == 0:
            rest, below = rest // prime, below // prime
    fraction = f"{rest}/{below}"
    return f"{minus}{whole} {fraction}" if whole else f"{minus}{fraction}"


def rounded_from_units(units: int) -> str:
    """The credits in decimals, rounded to six: `0.333333`. For sums take the units."""
    # Of three remainders the last is nearer to the next millionth; none lies between two.
    millionths = (abs(units) + 1) // (UNITS_PER_CREDIT // 10**_DECIMALS)
    whole, rest = divmod(millionths, 10**_DECIMALS)
    return f"{'-' if units < 0 else ''}{whole}.{rest:0{_DECIMALS}d}"
