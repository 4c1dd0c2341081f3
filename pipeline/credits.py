"""Credits as integers: 1/3,000,000 credit is one unit, so thirds and six decimals are exact."""

from __future__ import annotations

import re
from typing import Final

UNITS_PER_CREDIT: Final = 3_000_000
MOST_UNITS: Final = 2**63 - 1  # a long of Avro, an Int64 of ClickHouse
# `0.300000`, and what XML Schema 1.0 part 2, 3.2.4 has of a float: `3.0E-1`. No sign but a plus.
_DECIMAL: Final = re.compile(r"\+?([0-9]{1,24})?(?:\.([0-9]{0,24}))?(?:[eE]([+-]?[0-9]{1,2}))?")


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
