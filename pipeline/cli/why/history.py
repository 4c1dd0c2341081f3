"""The state of each scope and since when it holds, computed from the rows of `consent_change`."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.records import ConsentState
from pipeline.stages.consent.deciding_scopes import deciding_scopes, scopes_of_number
from pipeline.stages.consent.scopes import account_key, keyword_key, number_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.directory.directory import Directory
    from pipeline.stages.consent.scopes import Key

OPEN_STATE: Final = ConsentState.OPEN.value


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `consent_change`, with the text of its message if there is one."""

    scope_kind: str
    scope: str
    state: str
    gateway_state: str
    rule: str
    mo_message_id: str
    number: str
    at: datetime
    recorded_at: datetime
    confirmation_due_at: datetime | None
    confirmation_deadline: datetime | None
    actor: str
    reason: str
    text: str = ""

    @property
    def key(self) -> Key:
        """The scope."""
        return (self.scope_kind, self.scope)


class ScopeNow(msgspec.Struct, frozen=True, kw_only=True):
    """The current state of one scope: the latest row, and for each side the row that set its state.

    The rows of the two sides differ if, for example, an order opened ours while the gateway's side
    stayed stopped. None: the side was always open.
    """

    latest: Change
    ours_since: Change | None
    gateway_since: Change | None

    @property
    def key(self) -> Key:
        """The scope."""
        return self.latest.key

    @property
    def is_open(self) -> bool:
        """Whether both sides are open, so that an MT passes."""
        return self.latest.state == OPEN_STATE and self.latest.gateway_state == OPEN_STATE


def scopes_now(changes: Iterable[Change]) -> dict[Key, ScopeNow]:
    """Each scope's state; `changes` are in the order in which they were recorded."""
    rows: dict[Key, dict[datetime, Change]] = {}
    for change in changes:
        rows.setdefault(change.key, {})[change.at] = change  # the row that was recorded last counts
    return {key: _scope_now([found[at] for at in sorted(found)]) for key, found in rows.items()}


def _scope_now(rows: list[Change]) -> ScopeNow:
    ours = rows[0] if rows[0].state != OPEN_STATE else None
    gateway = rows[0] if rows[0].gateway_state != OPEN_STATE else None
    for before, row in pairwise(rows):
        ours = row if row.state != before.state else ours
        gateway = row if row.gateway_state != before.gateway_state else gateway
    return ScopeNow(latest=rows[-1], ours_since=ours, gateway_since=gateway)


def deciding(
    directory: Directory, number: str, known: dict[Key, ScopeNow]
) -> dict[Key, ScopeNow | None]:
    """The scopes that decide whether this number may send, each with its state.

    A scope without rows has the state of its account. None: nothing ever stopped the scope. A
    shared short code has a scope for each keyword, because the application may name any of them.
    """
    account = account_key(directory.account_of(number))
    keywords = directory.keywords_of(number)
    currents = [keyword_key(number, word) for word in keywords] or [number_key(directory, number)]

    def stopped_since(there: Key, here: Key) -> bool:
        return not known[there].is_open and known[here].latest.at < known[there].latest.at

    found: dict[Key, ScopeNow | None] = {}
    for current in currents:
        keys = scopes_of_number(number, current, account, known.keys(), stopped_since=stopped_since)
        for key in deciding_scopes(known.keys(), keys):
            found[current if key == account else key] = known.get(key)
    return found
