"""The history of one MT, asked of the report over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.cli.ask.report_client import rows
from pipeline.store.story.asking import answered
from pipeline.store.story.command import asking_history, asking_now

if TYPE_CHECKING:
    from typing import Any

    from pipeline.store.story.asking import AnswerRows
    from pipeline.store.story.command import MtHistory, Now


def history_of(report: str, name: str) -> MtHistory:
    """What is known of the command or the request of this id."""
    return answered(asking_history(name), lambda sql, given: _rows(report, sql, given))


def now_of(report: str, command_id: str) -> Now | None:
    """How a command stands; None: the worker has said nothing of it."""
    return answered(asking_now(command_id), lambda sql, given: _rows(report, sql, given))


def _rows(report: str, sql: str, given: dict[str, Any]) -> AnswerRows:
    return rows(report, sql, parameters=given)
