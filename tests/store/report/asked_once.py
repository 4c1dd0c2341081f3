"""A report that asks its store each question once, however many requests need the answer."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.store.query.questions import Questions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator


@contextmanager
def asked_once() -> Iterator[pytest.MonkeyPatch]:
    """For thousands of requests to a store that does not change; also gives the patch."""
    table, columns = _remembering(Questions.table), _remembering(Questions.columns)

    async def copied_table(questions: Questions, sql: str, parameters: Any = None) -> Any:
        names, rows = await table(questions, sql, parameters)
        return names, [tuple(row) for row in rows]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Questions, "table", copied_table)
        patch.setattr(Questions, "columns", columns)
        yield patch


def _remembering(ask: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """The same question has the same answer, whoever asks: the engine is asked once."""
    remembered: dict[str, Any] = {}

    async def asked(questions: Questions, sql: str, parameters: Any = None) -> Any:
        key = f"{sql} {parameters}"
        if key not in remembered:
            remembered[key] = await ask(questions, sql, parameters)
        return remembered[key]

    return asked
