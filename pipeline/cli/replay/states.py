"""Computes a handset's consent from its records, under one directory or another. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pipeline.records import ConsentRequest, ConsentState, MoMessage, Rejected, ScopeKind
from pipeline.sms.timestamp import seconds_of
from pipeline.stages.consent.decide import HandsetConsent, take_message
from pipeline.stages.consent.operator import order_from_request, take_order
from pipeline.stages.consent.row import STATES
from pipeline.stages.consent.scopes.deciding_scopes import deciding_scopes
from pipeline.stages.consent.scopes.scopes import account_key, first_number_of
from pipeline.stages.consent.scopes.timeline import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from pipeline.directory.directory import Directory
    from pipeline.stages.consent.decide import ConsentRules
    from pipeline.stages.consent.scopes.scopes import Key

Recorded = MoMessage | ConsentRequest


class ReplayedState(msgspec.Struct, frozen=True):
    """The states of both sides, and the message and the rule that caused them."""

    ours: str = ConsentState.OPEN.value
    gateway: str = ConsentState.OPEN.value
    rule: str = ""
    message_id: str = ""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A scope of a handset whose state differs between the two directories."""

    handset: str
    scope_kind: str
    scope: str
    before: ReplayedState
    after: ReplayedState


def time_of_record(record: Recorded) -> datetime:
    """When the record reached us."""
    return record.received_at if isinstance(record, MoMessage) else record.requested_at


class Replay:
    """Replays handsets through consent twice: under the directory in force and under another.

    The other directory applies from `since` on. Older records are read under the directory in force
    both times, so a handset that was stopped before stays stopped.
    """

    def __init__(
        self,
        *,
        in_force: Directory,
        other: Directory,
        since: datetime,
        now: datetime,
        rules: ConsentRules,
    ) -> None:
        self._in_force = in_force
        self._other = other
        self._since = since
        self._now = now
        self._rules = rules

    def differences(self, handset: str, records: Sequence[Recorded]) -> Iterator[Difference]:
        """The scopes whose state would differ. `records` are in order of arrival."""
        before = self._states(records, self._in_force)
        after = self._states(records, self._other)
        for key in sorted(before.keys() | after.keys()):
            known, wanted = (_state_of(states, key, self._in_force) for states in (before, after))
            if (known.ours, known.gateway) != (wanted.ours, wanted.gateway):
                yield Difference(
                    handset=handset, scope_kind=key[0], scope=key[1], before=known, after=wanted
                )

    def _states(self, records: Sequence[Recorded], later: Directory) -> dict[Key, ReplayedState]:
        row: HandsetConsent | None = None
        now = time_of_record(records[0]) if records else self._now
        for record in records:
            now = max(now, time_of_record(record))
            directory = later if time_of_record(record) >= self._since else self._in_force
            row = self._row_after(row, record, directory, now)
        until = seconds_of(self._now)
        states = {}
        for timeline in row.timelines if row else ():
            segments = fold(timeline.events, until=until).segments
            if segments:
                last = segments[-1]
                states[timeline.key] = ReplayedState(
                    STATES[last.ours],
                    STATES[last.gateway],
                    last.rule,
                    last.event.message_id,
                )
        return states

    def _row_after(
        self, row: HandsetConsent | None, record: Recorded, directory: Directory, now: datetime
    ) -> HandsetConsent | None:
        if isinstance(record, MoMessage):
            return take_message(row, record, directory=directory, now=now, rules=self._rules).row
        order = order_from_request(record, directory=directory)
        if order is None or isinstance(order, Rejected):
            return row
        return take_order(row, order, directory=directory, now=now).row


def _state_of(states: dict[Key, ReplayedState], key: Key, directory: Directory) -> ReplayedState:
    """The state of a scope; if it has none, the state of its account, or else open."""
    if key[0] == ScopeKind.ACCOUNT:
        return states.get(key, ReplayedState())
    account = account_key(directory.account_of(first_number_of(key)))
    (decides,) = deciding_scopes(states.keys(), [key, account])
    return states.get(decides, ReplayedState())
