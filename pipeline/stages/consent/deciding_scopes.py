"""Which scopes decide whether a number may send: the gate, `why` and `replay` ask here.

What is known of a handset's scopes is the gate's row for the one, and the rows of `consent_change`
for the others. The view `judged_command` has the rule of `deciding_scopes` in SQL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.records import ScopeKind
from pipeline.stages.consent.scopes import Key, holds

if TYPE_CHECKING:
    from collections.abc import Callable, Collection


def scopes_of_number(
    number: str,
    current: Key,
    account: Key,
    known: Collection[Key],
    *,
    stopped_since: Callable[[Key, Key], bool],
) -> list[Key]:
    """The scopes that contain a number: the one it is in now, earlier ones, the account last.

    A number keeps its stops when it moves: into a range (its own scope still counts), or out of one
    or with it (ranges that held it count, unless it was re-enabled where it is now).
    `stopped_since(there, here)`: `there` has a stop that is newer than all that re-enabled `here`.
    """
    alone = (ScopeKind.NUMBER.value, number)
    shared = current[0] == ScopeKind.KEYWORD
    is_new = current not in known
    held = [alone] if shared else [key for key in known if holds(key, number)]
    also = [
        key
        for key in held
        if key in known
        and key != current
        and (is_new or (key == alone and not shared) or stopped_since(key, current))
    ]
    return [current, *also, account]


def deciding_scopes(known: Collection[Key], keys: list[Key]) -> list[Key]:
    """Those of a number's scopes that decide: the ones with a history, which holds their account's.

    Where none has one, the account decides: after STOP ALL a message re-enables its own scope.
    """
    return [key for key in keys[:-1] if key in known] or keys[-1:]
