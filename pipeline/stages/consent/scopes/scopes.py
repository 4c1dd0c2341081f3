"""The scopes of a handset and their timelines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.directory.directory import Directory, is_within
from pipeline.records import Scope, ScopeKind
from pipeline.stages.consent.row import OPEN, Effect, Event, HandsetConsent, Timeline
from pipeline.stages.consent.scopes.inherited import overlap, still_counts, without_gateway
from pipeline.stages.consent.scopes.timeline import NEVER, fold, insert

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
"""Re-enabling messages remembered in a scope that was never stopped, in case a stop comes late."""
KEPT = 24
"""Events remembered in a scope with stops, besides those that its state needs."""
SCOPES_UNSTOPPED = 16
"""Scopes without stops remembered for one handset."""
SCOPES = 128
"""The most scopes of one handset. Beyond them a stop stops the account, and nothing is opened.

See `deploy/decisions/0092`. One message may add more, one for each keyword of a shared short code.
"""
EVENTS = 1024
"""Events remembered in all scopes of a handset together, besides those that the states need."""
_KEPT_AT_LEAST: Final = 2


def account_key(account: str) -> Key:
    """The scope of a whole account."""
    return (_ACCOUNT, account)


def keyword_key(code: str, keyword: str) -> Key:
    """The scope of one keyword on a shared short code."""
    return (_KEYWORD, f"{code}/{keyword}")


def number_key(directory: Directory, number: str) -> Key:
    """The scope of a number that is no shared short code: the number, or the range around it."""
    scope = directory.scope_of(number)
    return (str(scope.scope_kind), scope.scope)


def scope_from_key(key: Key) -> Scope:
    """The record of a scope."""
    return Scope(scope_kind=key[0], scope=key[1])


def first_number_of(key: Key) -> str:
    """The first number of the scope (not for an account)."""
    kind, scope = key
    if kind == _RANGE:
        return scope.partition("-")[0]
    return scope.partition("/")[0] if kind == _KEYWORD else scope


def holds(key: Key, number: str) -> bool:
    """Whether the scope contains this number. A keyword's scope contains its code."""
    kind, scope = key
    if kind == _RANGE:
        first, _, last = scope.partition("-")
        return is_within(number, first, last)
    if kind == _KEYWORD:
        return scope.partition("/")[0] == number
    return kind == _NUMBER and scope == number


class Scopes:
    """The timelines of one row while a decision changes them."""

    def __init__(self, row: HandsetConsent | None, directory: Directory) -> None:
        self._directory = directory
        self._timelines = {t.key: t for t in row.timelines} if row else {}
        self._room = SCOPES - len(self._timelines)  # at the start, so that one message counts whole
        self._begun = dict(self._timelines)

    def __iter__(self) -> Iterator[Timeline]:
        """Every timeline, accounts first, then in the order in which they were made."""
        timelines = self._timelines.values()
        if len(timelines) < 2:
            return iter(timelines)
        return iter(sorted(timelines, key=lambda t: t.scope_kind != _ACCOUNT))

    def find(self, key: Key) -> Timeline | None:
        """The timeline of a scope; None if nothing is known about the scope."""
        return self._timelines.get(key)

    def put(self, timeline: Timeline) -> None:
        """Replace the timeline of a scope."""
        self._timelines[timeline.key] = timeline

    def account_of(self, key: Key) -> str:
        """The account to which a scope belongs, by the directory in force."""
        if key[0] == _ACCOUNT:
            return key[1]
        return self._directory.account_of(first_number_of(key))

    def add(self, keys: Iterable[Key], event: Event) -> None:
        """Enter `event` into each scope, without the gateway's side for a premium number.

        If a scope is new and there is no room for it, a stop stops the account instead.
        """
        for key in keys:
            if not self.has_room(key):
                self._stop_account_of(key, event)
                continue
            known = self._timelines.get(key)
            timeline = self._with_earlier(known) if known else self._created(key)
            self.put(self._with_event(timeline, event))

    def follow_account(self, keys: Iterable[Key]) -> None:
        """Give each scope without a timeline its own timeline, with the events of its account."""
        for key in keys:
            if key not in self._timelines and self.has_room(key):
                self.put(self._created(key))

    def has_room(self, key: Key) -> bool:
        """Whether an event can be entered into this scope."""
        return key[0] == _ACCOUNT or key in self._timelines or self._room > 0

    def _stop_account_of(self, key: Key, event: Event) -> None:
        """Enter a stop into the account, on each side on which the account is still open."""
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
        """Copy the events of an account (STOP ALL, confirmations, orders) into its scopes."""
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
        """Forget scopes without stops beyond `SCOPES_UNSTOPPED`, those with the oldest message."""
        if len(self._timelines) <= SCOPES_UNSTOPPED:
            return
        unstopped = [t for t in self._timelines.values() if not t.has_stops and not t.published]
        for timeline in sorted(unstopped, key=lambda t: t.events[-1].order)[:-SCOPES_UNSTOPPED]:
            del self._timelines[timeline.key]

    def _created(self, key: Key) -> Timeline:
        """A new timeline for a scope, with events taken over from other scopes."""
        timeline = self._with_earlier(Timeline(*key))
        account = self._timelines.get(account_key(self.account_of(key)))
        return self._with_events(timeline, account.events) if account else timeline

    def _with_earlier(self, timeline: Timeline) -> Timeline:
        """The timeline, with the events of scopes that held its numbers before."""
        for other in self._timelines.values():
            if self._came_from(timeline.key, other.key):
                timeline = self._with_events(timeline, other.events)
        return timeline

    def _came_from(self, key: Key, other: Key) -> bool:
        """Whether `other` held numbers that belong to `key` by the directory in force."""
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
        """How many events a scope with stops remembers: fewer if the handset has many scopes."""
        if len(self._timelines) * KEPT <= EVENTS:
            return KEPT
        return min(KEPT, max(_KEPT_AT_LEAST, EVENTS // len(self._timelines)))

    def is_as_told(self, timeline: Timeline) -> bool:
        """Whether the published rows of a scope are up to date.

        That is so if this decision changed neither the scope nor its account, and no confirmation
        is due.
        """
        if not timeline.published or not timeline.is_said_settled:
            return False
        account = account_key(self.account_of(timeline.key))
        return self._begun.get(timeline.key) is timeline and (
            self._begun.get(account) is self._timelines.get(account)
        )
