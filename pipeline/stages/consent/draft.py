"""A handset's row while one decision changes it; the result is changes and the new row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from pipeline.identity import derived_id
from pipeline.records import ConsentChange, ConsentRule, MoMessage, MtCommand, ScopeKind
from pipeline.sms.timestamp import seconds_of, time_of
from pipeline.stages.consent.decision import Decision
from pipeline.stages.consent.row import (
    DUE,
    OPEN,
    STATES,
    Confirmation,
    Effect,
    Event,
    HandsetConsent,
    KeywordUse,
    Published,
    Timeline,
)
from pipeline.stages.consent.scopes.revisions import Revision, remember, revisions
from pipeline.stages.consent.scopes.scopes import Key, Scopes, account_key
from pipeline.stages.consent.scopes.timeline import fold

if TYPE_CHECKING:
    from pipeline.directory.directory import Directory
    from pipeline.stages.consent.pending import PendingStop

_RE_ENABLED: Final = ConsentRule.RE_ENABLED.value  # a member is slow to look up
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_APART: Final = timedelta(milliseconds=1)
CONFIRMATIONS: Final = 64
"""The most confirmations of one handset that are remembered in case they fail; the newest stay."""


class ConsentDraft:
    """A decision on one handset that is being made. Only its methods change it."""

    def __init__(
        self, row: HandsetConsent | None, handset: str, directory: Directory, now: datetime
    ) -> None:
        self.row = row or HandsetConsent(handset=handset)
        self.directory = directory
        self.now = now
        self.scopes = Scopes(row, directory)
        self._last_number = self.row.last_number
        self._last_at = self.row.last_at
        self._keyword_uses = self.row.keyword_uses
        self._confirmations = self.row.confirmations
        self._commands: list[MtCommand] = []
        self._published = False
        self._changes: list[ConsentChange] = []
        self._arrivals = self.row.arrivals
        # Rows of one handset are recorded at least a millisecond apart (the store's precision), so
        # that there is always exactly one latest row.
        self._recorded = max(now, _EPOCH + self.row.recorded_us * _MICROSECOND + _APART)

    @property
    def handset(self) -> str:
        """The handset of the row."""
        return self.row.handset

    def next_arrival(self) -> int:
        """The number of the next event in the order of arrival."""
        self._arrivals += 1
        return self._arrivals

    def note_texted(self, number: str, *, at: int) -> None:
        """Remember the number texted last: it is the gate's default sender."""
        if at >= self._last_at:
            self._last_number, self._last_at = number, at

    def note_keyword(self, code: str, keyword: str, *, at: int) -> None:
        """Remember the keyword used last at a shared short code: it is the gate's default."""
        uses = self._keyword_uses
        earlier = next((use for use in uses if use.code == code), None)
        if earlier is None or at >= earlier.at:
            use = KeywordUse(code, keyword, at)
            self._keyword_uses = [*(u for u in uses if u is not earlier), use]

    def keyword_used_at(self, code: str) -> str:
        """The keyword used last at a shared short code; empty if there is none."""
        return next((use.keyword for use in self._keyword_uses if use.code == code), "")

    def send(self, command: MtCommand) -> None:
        """Send a command that does not confirm a stop."""
        self._commands.append(command)

    def confirm_with(self, command: MtCommand, pending: PendingStop, *, is_default: bool) -> None:
        """Send the confirmation of a stop, and record that the stop is confirmed."""
        stop = pending.stop
        self._send_confirmation(
            command, stop.message_id, stop.number, pending.deadline, is_default=is_default
        )
        self.confirm(stop, ConsentRule.CONFIRMED, at=seconds_of(self.now))

    def send_instead(self, command: MtCommand, failed: Confirmation) -> None:
        """Send the default text in place of a confirmation that failed."""
        self._send_confirmation(
            command, failed.message_id, failed.number, failed.deadline, is_default=True
        )

    def forget_confirmation(self, failed: Confirmation) -> None:
        """Forget a confirmation that failed, so that the default text follows it only once."""
        self._confirmations = [sent for sent in self._confirmations if sent != failed]

    def confirm(self, stop: Event, rule: ConsentRule, *, at: int) -> None:
        """Record that `stop` was confirmed, in every scope that has the stop.

        A scope in which the stop has no effect now may need this when a late event comes.
        """
        event = Event(
            at=at,
            arrival=self.next_arrival(),
            ours=int(Effect.CONFIRM),
            gateway=int(Effect.CONFIRM),
            rule=rule.value,
            message_id=stop.message_id,
            number=stop.number,
            confirms_at=stop.at,
            confirms_arrival=stop.arrival,
        )
        arrival = stop.arrival
        holders = [t.key for t in self.scopes if any(e.arrival == arrival for e in t.events)]
        self.scopes.add(holders, event)

    def _send_confirmation(
        self, command: MtCommand, message_id: str, number: str, deadline: int, *, is_default: bool
    ) -> None:
        """Send a confirmation, and remember it until its deadline in case it fails."""
        self._commands.append(command)
        sent = Confirmation(command.command_id, message_id, number, deadline, is_default=is_default)
        self._confirmations = [*self._confirmations, sent][-CONFIRMATIONS:]

    def note_changes(self) -> None:
        """Say of every scope what readers must be told of it by now."""
        self._published = True
        self.scopes.share_accounts()
        until = seconds_of(self.now)
        for timeline in list(self.scopes):
            if self.scopes.is_as_told(timeline):
                continue
            if timeline.has_stops or timeline.published:
                self._note_changes_of(timeline, until)

    def _note_changes_of(self, timeline: Timeline, until: int) -> None:
        said_of_account: list[Published] = []
        if timeline.scope_kind != ScopeKind.ACCOUNT:
            account = self.scopes.find(account_key(self.scopes.account_of(timeline.key)))
            said_of_account = account.published if account else []
        segments = fold(timeline.events, until=until).segments
        found = revisions(timeline, segments, said_of_account)
        for revision in found:
            self._changes.append(self._change(timeline.key, revision))
            self._recorded += _APART
        if found:
            self.scopes.put(remember(timeline, found))

    def _change(self, key: Key, revision: Revision) -> ConsentChange:
        segment = revision.segment
        event = segment.event if segment else None
        is_due = segment is not None and DUE in (segment.ours, segment.gateway)
        texted = event.number or key[1] if event and event.message_id else ""
        return ConsentChange(
            change_id=derived_id("consent-change", self.handset, *key, str(self._recorded)),
            handset=self.handset,
            scope_kind=key[0],
            scope=key[1],
            state=STATES[segment.ours if segment else OPEN],
            gateway_state=STATES[segment.gateway if segment else OPEN],
            previous_state=STATES[revision.previous_ours],
            previous_gateway_state=STATES[revision.previous_gateway],
            rule=segment.rule if segment else _RE_ENABLED,
            mo_message_id=event.message_id if event else "",
            number=texted,
            at=time_of(revision.at),
            recorded_at=self._recorded,
            confirmation_due_at=time_of(segment.due) if segment and is_due else None,
            confirmation_deadline=time_of(segment.deadline) if segment and is_due else None,
            actor=event.actor if event else "",
            reason=event.reason if event else "",
        )

    def decide(self, message: MoMessage | None = None) -> Decision:
        """The decision, with the new row."""
        self.scopes.trim()
        timelines = list(self.scopes)
        has_stops = self._published or self.row.stopped_once
        recorded_us = self.row.recorded_us
        if self._changes:
            recorded_us = (self._changes[-1].recorded_at - _EPOCH) // _MICROSECOND
        now = seconds_of(self.now)
        row = HandsetConsent(
            handset=self.handset,
            arrivals=self._arrivals,
            recorded_us=recorded_us,
            last_number=self._last_number,
            last_at=self._last_at,
            stopped_once=has_stops and any(t.has_stops for t in timelines),
            timelines=timelines,
            keyword_uses=self._keyword_uses,
            confirmations=[sent for sent in self._confirmations if sent.deadline > now],
        )
        return Decision(row=row, changes=self._changes, commands=self._commands, message=message)
