"""What `consent_change` comes to, scope by scope: what holds by now, and since when."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.records import ConsentState, ScopeKind
from pipeline.stages.consent.scopes import holds, keyword_key, number_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipeline.directory.directory import Directory
    from pipeline.stages.consent.scopes import Key

OPEN_STATE: Final = ConsentState.OPEN.value


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `consent_change`, and the text of the message behind it where there is one."""

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
    """One scope as we know it by now: the row that holds, and the rows each side's state is from.

    They differ where an order opened ours while the gateway's stayed stopped; None: it never was
    anything but open.
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
        """Whether both sides let an MT pass."""
        return self.latest.state == OPEN_STATE and self.latest.gateway_state == OPEN_STATE


def scopes_now(changes: Iterable[Change]) -> dict[Key, ScopeNow]:
    """Each scope's state; `changes` are in the order in which they were recorded."""
    rows: dict[Key, dict[datetime, Change]] = {}
    for change in changes:
        rows.setdefault(change.key, {})[change.at] = change  # what was recorded last counts
    return {key: _scope_now([found[at] for at in sorted(found)]) for key, found in rows.items()}


def _scope_now(rows: list[Change]) -> ScopeNow:
    ours = rows[0] if rows[0].state != OPEN_STATE else None
    gateway = rows[0] if rows[0].gateway_state != OPEN_STATE else None
    for before, row in pairwise(rows):
        ours = row if row.state != before.state else ours
        gateway = row if row.gateway_state != before.gateway_state else gateway
    return ScopeNow(latest=rows[-1], ours_since=ours, gateway_since=gateway)


def keys_of(directory: Directory, number: str, known: dict[Key, ScopeNow]) -> list[Key]:
    """The scopes of a number, its account's last.

    Among them those it was in before it moved, where they are stopped and it was not re-enabled
    since.
    """
    account = (ScopeKind.ACCOUNT.value, directory.account_of(number))
    keywords = directory.keywords_of(number)
    alone = (ScopeKind.NUMBER.value, number)
    if keywords:
        keys = [keyword_key(number, word) for word in keywords]
        return [*keys, *_stopped_before(known, [alone], keys), account]
    current = number_key(directory, number)
    if current != alone and alone in known and not known[alone].is_open:
        return [current, alone, account]
    others = [key for key in known if key != current and holds(key, number)]
    return [current, *_stopped_before(known, others, [current]), account]


def _stopped_before(
    known: dict[Key, ScopeNow], others: list[Key], current: list[Key]
) -> Iterator[Key]:
    """Those of `others` that are stopped, by something newer than all that is known of now."""
    newest = max((known[key].latest.at for key in current if key in known), default=None)
    for key in others:
        now = known.get(key)
        if now and not now.is_open and (newest is None or newest < now.latest.at):
            yield key


def deciding(known: dict[Key, ScopeNow], keys: list[Key]) -> Iterator[tuple[Key, ScopeNow | None]]:
    """Of a number's scopes those that decide, each with what is known of it.

    A scope without rows is answered by its account's.
    """
    account = known.get(keys[-1])
    for key in keys[:-1]:
        yield key, known.get(key) or account
