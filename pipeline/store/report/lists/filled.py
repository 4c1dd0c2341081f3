"""The conditions that most lists have: on time, number and handset."""

from __future__ import annotations

import re
from typing import Final

#: `[in TIME]` in a statement: the column TIME is within the times of the filters.
_RANGE: Final = r"\1 >= {since:DateTime64(3, 'UTC')} AND \1 < {until:DateTime64(3, 'UTC')}"
#: `[of TIME, NUMBER]`: the same, and NUMBER and the handset match the filters.
_FILTERED: Final = (
    _RANGE + r" AND ({number:String} = '' OR \2 = {number:String})"
    " AND ({handset:String} = '' OR handset = {handset:String})"
)


def filled(sql: str) -> str:
    """The statement with its conditions on time, number and handset."""
    sql = re.sub(r"\[of (\w+), ([\w.]+)\]", _FILTERED, sql)
    return re.sub(r"\[in (\w+)\]", _RANGE, sql)
