"""Finds the reply paths by which a record is handed on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.records import CommandState, ScopeKind

if TYPE_CHECKING:
    from pipeline.directory.directory import Directory
    from pipeline.records import ConsentChange, ReplyPath

MESSAGES: Final = "message"
PARTS: Final = "part"
CONSENT_EVENTS: Final = "consent"
RESULT_EVENTS: Final = "results"
#: The states of a command that are sent to an application: results, and no steps before them.
TOLD: Final = frozenset(
    (
        CommandState.SUBMITTED.value,
        CommandState.DELIVERED.value,
        CommandState.UNDELIVERED.value,
        CommandState.FAILED.value,
        CommandState.UNKNOWN.value,
        CommandState.REFUSED.value,
    )
)


def path_of_unit(directory: Directory, number: str, unit: str) -> ReplyPath | None:
    """The path by which messages, or parts, of a number are handed on; None if there is none."""
    path = directory.reply_path_of(number)
    return path if path is not None and path.unit == unit else None


def path_of_results(directory: Directory, sender_id: str) -> ReplyPath | None:
    """The path for the results of commands with this sender ID; None if there is none."""
    path = directory.reply_path_of(sender_id)
    return path if path is not None and RESULT_EVENTS in path.events else None


def paths_of_change(directory: Directory, change: ConsentChange) -> list[ReplyPath]:
    """The paths for a change of consent.

    A change of a whole account goes to every application of the account's numbers.
    """
    if change.scope_kind == ScopeKind.ACCOUNT:
        found = directory.reply_paths_of(change.scope)
    else:
        path = directory.reply_path_of(_number_of(change))
        found = [] if path is None else [path]
    return [path for path in found if CONSENT_EVENTS in path.events]


def _number_of(change: ConsentChange) -> str:
    """The number in the scope of a change: a `range` is first-last, a `keyword` code/KEYWORD."""
    if change.scope_kind == ScopeKind.RANGE:
        return change.scope.partition("-")[0]
    if change.scope_kind == ScopeKind.KEYWORD:
        return change.scope.partition("/")[0]
    return change.scope
