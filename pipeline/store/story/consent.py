"""The state of each scope and since when it holds, computed from the rows of `consent_change`."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import msgspec

from pipeline.records import ConsentState
from pipeline.stages.consent.scopes.deciding_scopes import deciding_scopes, scopes_of_number
from pipeline.stages.consent.scopes.scopes import account_key, keyword_key, number_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.directory.directory import Directory
    from pipeline.stages.consent.scopes.scopes import Key
    from pipeline.store.story.asking import Asking

# All rows of a handset come from one partition. So the offset tells which of two rows of the same
# millisecond was recorded later.
_TIMES: Final = ("at", "recorded_at", "confirmation_due_at", "confirmation_deadline")
_ISO: Final = ", ".join(
    f"formatDateTime({name}, '%FT%T.%fZ', 'UTC') AS {name}_iso" for name in _TIMES
)
_CHANGES: Final = f"""\
SELECT scope_kind, scope, state, gateway_state, rule, mo_message_id, number, actor, reason, {_ISO}
FROM consent_change WHERE handset = {{handset:String}} ORDER BY recorded_at, kafka_offset"""  # noqa: S608  names of ours
_TEXTS: Final = """\
SELECT message_id, text FROM mo_message WHERE handset = {handset:String}
AND message_id IN (SELECT mo_message_id FROM consent_change WHERE handset = {handset:String})"""
#: Without FINAL: whether there is any counts, and not how many.
_STORED: Final = """\
SELECT count() AS n FROM conversation_line_rows WHERE handset = {handset:String}"""
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


def asking_changes(handset: str) -> Asking[list[Change]]:
    """Every change of a handset's consent, in the order in which they were recorded."""
    asked = {"handset": handset}
    texts = {row["message_id"]: row["text"] for row in (yield _TEXTS, asked)}
    return [_change_from(dict(row), texts) for row in (yield _CHANGES, asked)]


def asking_whether_stored(handset: str) -> Asking[bool]:
    """Whether any message, command or refusal of a handset is stored."""
    found = yield _STORED, {"handset": handset}
    return bool(found[0]["n"])


def _change_from(row: dict[str, Any], texts: dict[str, str]) -> Change:
    times = {name: row.pop(f"{name}_iso") for name in _TIMES}
    return msgspec.convert(row | times | {"text": texts.get(row["mo_message_id"], "")}, Change)


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

    A scope without rows has the state of its account. None: no change of it is stored. A
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
