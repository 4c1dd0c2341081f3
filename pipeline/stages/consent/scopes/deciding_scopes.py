"""Which scopes decide whether a number may send. The gate, `why` and `replay` use this module.

The gate knows a handset's scopes from its row, and the others from the rows of `consent_change`.
The view `judged_command` has the rule of `deciding_scopes` in SQL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.records import ScopeKind
from pipeline.stages.consent.scopes.scopes import Key, holds

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
    """The scopes that contain a number: the current scope, earlier scopes, and the account last.

    A number keeps its stops when it moves. If it moved into a range, its own scope still counts. If
    it left a range, or its range changed, the old ranges count unless a message re-enabled the
    current scope since. `stopped_since(there, here)`: `there` has a stop that is newer than the
    last message that re-enabled `here`.
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
    """The scopes of a number that decide: those with a history, or else the account.

    The history of a scope includes the events of its account. So after STOP ALL, a message can
    re-enable one scope of the account.
    """
    return [key for key in keys[:-1] if key in known] or keys[-1:]
