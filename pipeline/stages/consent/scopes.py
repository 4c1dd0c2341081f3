"""Which scopes of a handset a message or a sender concerns, and the timelines that hold them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.directory.directory import Directory, is_within
from pipeline.records import Scope, ScopeKind
from pipeline.stages.consent.inherited import overlap, still_counts, without_gateway
from pipeline.stages.consent.row import OPEN, Effect, Event, HandsetConsent, Timeline
from pipeline.stages.consent.timeline import NEVER, fold, insert

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Key = tuple[str, str]

_STOPS: Final = (Effect.STOP, Effect.STOP_AT_ONCE)
_NONE: Final = int(Effect.NONE)
_ACCOUNT: Final = ScopeKind.ACCOUNT.value  # an enum member's `value` is slow to look up
_NUMBER: Final = ScopeKind.NUMBER.value
_RANGE: Final = ScopeKind.RANGE.value
_KEYWORD: Final = ScopeKind.KEYWORD.value

KEPT_UNSTOPPED = 3
"""Re-enabling messages remembered in a scope that was never stopped, should a stop come late."""
KEPT = 24
"""Events remembered in a scope with stops, beside those its state rests on."""
SCOPES_UNSTOPPED = 16
"""Scopes without stops remembered for one handset."""
SCOPES = 128
"""Scopes of one handset: beyond, a stop is one of the account, and nothing is opened anew.

`deploy/decisions/0092`. One message may bring as many more as a shared short code has keywords.
"""
EVENTS = 1024
"""Events remembered in all scopes of a handset, shared among them, beside those states rest on."""
_KEPT_AT_LEAST: Final = 2


def account_key(account: str) -> Key:
    """The scope of everything an account has."""
    return (_ACCOUNT, account)


def keyword_key(code: str, keyword: str) -> Key:
    """The scope of one keyword on a shared short code."""
    return (_KEYWORD, f"{code}/{keyword}")


def number_key(directory: Directory, number: str) -> Key:
    """The scope of a number that is no shared short code: itself, or the range that holds it."""
    scope = directory.scope_of(number)
    return (str(scope.scope_kind), scope.scope)


def scope_from_key(key: Key) -> Scope:
    """The record of a scope."""
    return Scope(scope_kind=key[0], scope=key[1])


def first_number_of(key: Key) -> str:
    """A number that lies in the scope (not for an account)."""
    kind, scope = key
    if kind == _RANGE:
        return scope.partition("-")[0]
    return scope.partition("/")[0] if kind == _KEYWORD else scope


def holds(key: Key, number: str) -> bool:
    """Whether the scope is of this number; a keyword's is of its code, an account's of none."""
    kind, scope = key
    if kind == _RANGE:
        first, _, last = scope.partition("-")
        return is_within(number, first, last)
    if kind == _KEYWORD:
        return scope.partition("/")[0] == number
    return kind == _NUMBER and scope == number


class Scopes:
    """The timelines of one row while a decision changes them; accounts come first."""

    def __init__(self, row: HandsetConsent | None, directory: Directory) -> None:
        self._directory = directory
        self._timelines = {t.key: t for t in row.timelines} if row else {}
        self._room = SCOPES - len(self._timelines)  # as the decision begins: a message is whole
        self._begun = dict(self._timelines)

    def __iter__(self) -> Iterator[Timeline]:
        """Every timeline, accounts first, then in the order in which they came to be."""
        timelines = self._timelines.values()
        if len(timelines) < 2:
            return iter(timelines)
        return iter(sorted(timelines, key=lambda t: t.scope_kind != _ACCOUNT))

    def find(self, key: Key) -> Timeline | None:
        """The timeline of a scope; None while nothing is known of it."""
        return self._timelines.get(key)

    def put(self, timeline: Timeline) -> None:
        """Keep this in place of the scope's earlier timeline."""
        self._timelines[timeline.key] = timeline

    def account_of(self, key: Key) -> str:
        """The account a scope belongs to by the directory in force."""
        if key[0] == _ACCOUNT:
            return key[1]
        return self._directory.account_of(first_number_of(key))

    def add(self, keys: Iterable[Key], event: Event) -> None:
        """Enter `event` in each scope; the gateway's side of a premium number is left alone.

        Where a scope is new and there is no room for it, a stop stops the account.
        """
        for key in keys:
            if not self.has_room(key):
                self._stop_account_of(key, event)
                continue
            known = self._timelines.get(key)
            timeline = self._with_earlier(known) if known else self._created(key)
            self.put(self._with_event(timeline, event))

    def follow_account(self, keys: Iterable[Key]) -> None:
        """Give scopes that have none a timeline of their own, with what their account has."""
        for key in keys:
            if key not in self._timelines and self.has_room(key):
                self.put(self._created(key))

    def has_room(self, key: Key) -> bool:
        """Whether an event can be entered in this scope."""
        return key[0] == _ACCOUNT or key in self._timelines or self._room > 0

    def _stop_account_of(self, key: Key, event: Event) -> None:
        """Enter a stop in the account, on the sides where the account is not stopped yet."""
        account = account_key(self.account_of(key))
        known = self._timelines.get(account)
        folded = fold(known.events, until=NEVER) if known else None
        ours, gateway = (
            effect if effect in _STOPS and (side is None or side.state == OPEN) else _NONE
            for effect, side in (
                (event.ours, folded.ours if folded else None),
                (event.gateway, folded.gateway if folded else None),
            )
        )
        if ours or gateway:
            stop = msgspec.structs.replace(event, ours=ours, gateway=gateway)
            self.put(self._with_event(known or Timeline(*account), stop))

    def share_accounts(self) -> None:
        """Let every scope have what its account has: STOP ALL, what confirms it, orders."""
        accounts = {key: t for key, t in self._timelines.items() if key[0] == _ACCOUNT}
        if not accounts:
            return
        for key, timeline in self._timelines.items():
            if key in accounts:
                continue
            account = accounts.get(account_key(self.account_of(key)))
            if account is not None:
                self._timelines[key] = self._with_events(timeline, account.events)

    def trim(self) -> None:
        """Forget scopes without stops beyond a number, those longest without a message first."""
        if len(self._timelines) <= SCOPES_UNSTOPPED:
            return
        unstopped = [t for t in self._timelines.values() if not t.has_stops and not t.published]
        for timeline in sorted(unstopped, key=lambda t: t.events[-1].order)[:-SCOPES_UNSTOPPED]:
            del self._timelines[timeline.key]

    def _created(self, key: Key) -> Timeline:
        """A timeline for a scope new to this handset, with what is known of it from others."""
        timeline = self._with_earlier(Timeline(*key))
        account = self._timelines.get(account_key(self.account_of(key)))
        return self._with_events(timeline, account.events) if account else timeline

    def _with_earlier(self, timeline: Timeline) -> Timeline:
        """What other scopes held of a number before it became, or was again, part of this one."""
        for other in self._timelines.values():
            if self._came_from(timeline.key, other.key):
                timeline = self._with_events(timeline, other.events)
        return timeline

    def _came_from(self, key: Key, other: Key) -> bool:
        """Whether `other` held numbers that `key` holds by the directory in force."""
        if other[0] == _RANGE and other != key and overlap(other, key):
            return number_key(self._directory, first_number_of(key)) == key
        return key[0] == _KEYWORD and other == (_NUMBER, first_number_of(key))

    def _with_events(self, timeline: Timeline, events: list[Event]) -> Timeline:
        known = {e.arrival for e in timeline.events}
        for event in events:
            if event.arrival in known:
                continue
            if event.at >= timeline.frozen_before or still_counts(timeline, event):
                timeline = self._with_event(timeline, event)
        return timeline

    def _with_event(self, timeline: Timeline, event: Event) -> Timeline:
        if timeline.scope_kind != _ACCOUNT and event.gateway in _STOPS:
            number = self._directory.find(first_number_of(timeline.key))
            if number is not None and number.premium:
                event = without_gateway(event)
        stops = event.ours in _STOPS or timeline.has_stops
        return insert(timeline, event, keep=self._kept if stops else KEPT_UNSTOPPED)

    @property
    def _kept(self) -> int:
        """How many events a scope with stops remembers: fewer where a handset has many scopes."""
        if len(self._timelines) * KEPT <= EVENTS:
            return KEPT
        return min(KEPT, max(_KEPT_AT_LEAST, EVENTS // len(self._timelines)))

    def is_as_told(self, timeline: Timeline) -> bool:
        """Whether readers have all there is of a scope: this decision changed nothing of it.

        Nor of its account, and no deadline is to pass.
        """
        if not timeline.published or not timeline.is_said_settled:
            return False
        account = account_key(self.account_of(timeline.key))
        return self._begun.get(timeline.key) is timeline and (
            self._begun.get(account) is self._timelines.get(account)
        )
