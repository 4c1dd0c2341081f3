"""Questions to ClickHouse as generators; the caller runs their statements, here or over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar, cast

T = TypeVar("T")
AnswerRows: TypeAlias = Sequence[Mapping[str, Any]]
#: A generator that yields a statement with parameters, is sent the rows, and returns a result.
Asking: TypeAlias = Generator[tuple[str, dict[str, Any]], AnswerRows, T]


def answered(asking: Asking[T], ask: Callable[[str, dict[str, Any]], AnswerRows]) -> T:
    """Run the statements of a question one after another; return its result."""
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
    """Like `answered`, with a client that is awaited."""
    found: AnswerRows | None = None
    while True:
        try:
            sql, parameters = next(asking) if found is None else asking.send(found)
        except StopIteration as end:
            return cast("T", end.value)
        found = await ask(sql, parameters)
