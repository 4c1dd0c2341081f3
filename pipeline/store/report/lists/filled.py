"""The conditions that most lists have: on time, number and handset."""

from __future__ import annotations

import re
from typing import Final

#: `[in TIME]` in a statement: the column TIME is within the times of the filters.
_RANGE: Final = r"\1 >= {since:DateTime64(3, 'UTC')} AND \1 < {until:DateTime64(3, 'UTC')}"
#: The number is one, or within a range of numbers of as many digits.
_NUMBER: Final = (
    r"({number_first:String} = '' OR (\2 BETWEEN {number_first:String} AND {number_last:String}"
    r" AND length(\2) = length({number_first:String})))"
)
#: `[of TIME, NUMBER]`: the same, and NUMBER and the handset match the filters.
_FILTERED: Final = (
    f"{_RANGE} AND {_NUMBER} AND ({{handset:String}} = '' OR handset = {{handset:String}})"
)


def filled(sql: str) -> str:
    """The statement with its conditions on time, number and handset."""
    sql = re.sub(r"\[of ([\w.]+), ([\w.]+)\]", _FILTERED, sql)
    sql = re.sub(r"\[number ([\w.]+)\]", _NUMBER.replace(r"\2", r"\1"), sql)
    return re.sub(r"\[in (\w+)\]", _RANGE, sql)
