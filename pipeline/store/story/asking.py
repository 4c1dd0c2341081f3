"""Questions to ClickHouse without a client: who drives them has one, here or over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar, cast

T = TypeVar("T")
AnswerRows: TypeAlias = Sequence[Mapping[str, Any]]
#: Yields a statement and its parameters, is sent the rows, and returns what they come to.
Asking: TypeAlias = Generator[tuple[str, dict[str, Any]], AnswerRows, T]


def answered(asking: Asking[T], ask: Callable[[str, dict[str, Any]], AnswerRows]) -> T:
    """What the questions come to, asked one after the other."""
    found: AnswerRows | None = None
    try:
        while True:
            sql, parameters = next(asking) if found is None else asking.send(found)
            found = ask(sql, parameters)
    except StopIteration as end:
        return cast("T", end.value)


async def answered_later(
    asking: Asking[T], ask: Callable[[str, dict[str, Any]], Awaitable[AnswerRows]]
) -> T:
    """The same, of a client that is awaited."""
    found: AnswerRows | None = None
    while True:
        try:
            sql, parameters = next(asking) if found is None else asking.send(found)
        except StopIteration as end:
            return cast("T", end.value)
        found = await ask(sql, parameters)
