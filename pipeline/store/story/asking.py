"""Questions to ClickHouse without a client: who drives them has one, here or over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar, cast

T = TypeVar("T")
Rows: TypeAlias = Sequence[Mapping[str, Any]]
#: Yields a statement and its parameters, is sent the rows, and returns what they come to.
Asking: TypeAlias = Generator[tuple[str, dict[str, Any]], Rows, T]


def answered(asking: Asking[T], ask: Callable[[str, dict[str, Any]], Rows]) -> T:
    """What the questions come to, asked one after the other."""
    found: Rows | None = None
    try:
        while True:
            sql, parameters = next(asking) if found is None else asking.send(found)
            found = ask(sql, parameters)
    except StopIteration as end:
        return cast("T", end.value)


async def answered_later(
    asking: Asking[T], ask: Callable[[str, dict[str, Any]], Awaitable[Rows]]
) -> T:
    """The same, of a client that is awaited."""
    found: Rows | None = None
    while True:
        try:
            sql, parameters = next(asking) if found is None else asking.send(found)
        except StopIteration as end:
            return cast("T", end.value)
        found = await ask(sql, parameters)
