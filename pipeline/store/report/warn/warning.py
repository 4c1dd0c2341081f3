"""What an operator must know now: a sentence, how many it is about, and the list that shows it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

import msgspec

#: Asks ClickHouse a statement of ours.
AskRows: TypeAlias = Callable[
    [str, Mapping[str, Any] | None], Awaitable[Sequence[Mapping[str, Any]]]
]


class OperatorWarning(msgspec.Struct, frozen=True, kw_only=True):
    """`link` is below the report's own address; `count` is what the metric has."""

    name: str
    words: str
    count: int
    link: str
    is_urgent: bool = False


#: Looks at one thing at a time that the newest message does not lie behind; None: all is well.
WarningFunction: TypeAlias = Callable[[AskRows, datetime], Awaitable[OperatorWarning | None]]


class KindOfWarning(msgspec.Struct, frozen=True):
    """A kind of warning: its name, which the metric has as a label, and how to look for it."""

    name: str
    look: WarningFunction


def counted(number: int, one: str, many: str) -> str:
    """`1 command is`, `3 commands are`: the words of one thing, or of many."""
    return f"{number:,} {one if number == 1 else many}"
