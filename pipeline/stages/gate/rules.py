"""The gate's rules, in the order of `GateRule`. Each returns a refusal or None."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.records import GateRule, MtRequest, ScopeKind
from pipeline.sms.msisdn import is_international
from pipeline.sms.segmentation import segment
from pipeline.sms.timestamp import seconds_of, time_of
from pipeline.stages.consent.answers.confirmation import confirming_number
from pipeline.stages.consent.pending import PendingStop, pending_stops
from pipeline.stages.consent.row import OPEN, STATES, Event, HandsetConsent
from pipeline.stages.consent.scopes.deciding_scopes import deciding_scopes
from pipeline.stages.consent.scopes.timeline import fold
from pipeline.stages.gate.sender import Sender, is_allowed

if TYPE_CHECKING:
    from pipeline.directory.directory import Directory
    from pipeline.settings import Settings
    from pipeline.stages.consent.scopes.scopes import Key


@dataclass(frozen=True, kw_only=True)
class GateRules:
    """The settings of the gate."""

    max_parts: int = 3
    validity: timedelta = timedelta(hours=24)  # of a request without not_after

    @classmethod
    def from_settings(cls, settings: Settings) -> GateRules:
        """The rules from the settings."""
        return cls(
            max_parts=settings.max_parts, validity=timedelta(hours=settings.mt_validity_hours)
        )


TOO_MANY_WORDS: Final = "too many commands of this handset are open: they wait, or are unknown"


class Refusal(NamedTuple):
    """A refusal: the rule, and the event that caused it. The words name no handset."""

    rule: GateRule
    words: str
    key: Key | None = None
    event: Event | None = None


def judged_scopes(row: HandsetConsent | None, keys: list[Key]) -> list[Key]:
    """The scopes of a sender that decide for this handset."""
    return deciding_scopes({t.key for t in row.timelines} if row else (), keys)


def opted_out(row: HandsetConsent | None, judged: list[Key], now: datetime) -> Refusal | None:
    """`opted-out`: a scope that contains the sender is not open, on our side or the gateway's."""
    if row is None or not row.stopped_once:
        return None
    for timeline in row.timelines:
        if timeline.key not in judged or timeline.is_said_open or not timeline.has_stops:
            continue
        folded = fold(timeline.events, until=seconds_of(now))
        side = next((s for s in (folded.ours, folded.gateway) if s.state != OPEN), None)
        if side is None:
            continue
        key = _scope_of_stop(row, timeline.key, side.stop)
        words = (
            f"stopped for {_scope_in_words(key)} "
            f"since {time_of(side.stop.at):%Y-%m-%d %H:%M:%S} UTC ({side.stop.rule}); "
            f"ours is {STATES[folded.ours.state]}, "
            f"the gateway's {STATES[folded.gateway.state]}"
        )
        return Refusal(GateRule.OPTED_OUT, words, key, side.stop)
    return None


def _scope_of_stop(row: HandsetConsent, key: Key, stop: Event) -> Key:
    """The account's scope if the stop is in the account's timeline, else the scope itself."""
    for timeline in row.timelines:
        shared = any(event.arrival == stop.arrival for event in timeline.events)
        if timeline.scope_kind == ScopeKind.ACCOUNT and shared:
            return timeline.key
    return key


def _scope_in_words(key: Key) -> str:
    kind, scope = key
    if kind == ScopeKind.KEYWORD:
        return f"the keyword {scope.partition('/')[2]}"
    return {
        ScopeKind.ACCOUNT.value: "every number of the account",
        ScopeKind.RANGE.value: "the range of this sender",
    }.get(kind, "this sender")


def malformed(
    request: MtRequest, handset: str, sender: Sender, directory: Directory, rules: GateRules
) -> Refusal | None:
    """The rules from `not-international` to `text-too-long`, which do not depend on consent."""
    if not is_international(handset):
        words = "the destination must be 8 to 15 digits with the country code, no leading 0 (G8.1)"
        return Refusal(GateRule.NOT_INTERNATIONAL, words)
    if directory.find(handset) is not None:
        return Refusal(GateRule.OWN_NUMBER, "the destination is a number of ours: a loop (G8.5)")
    if not is_allowed(sender, directory):
        words = "the sender is no number of ours that may send, nor listed in sender_ids (G8.2)"
        return Refusal(GateRule.SENDER_NOT_ALLOWED, words)
    if sender.needs_keyword:
        words = "from a shared short code a keyword of ours is needed, and none was used there"
        return Refusal(GateRule.KEYWORD_NEEDED, words)
    if not request.text.strip():
        return Refusal(GateRule.TEXT_EMPTY, "the text is empty")
    parts = segment(request.text).parts
    if parts > rules.max_parts:
        words = f"the text takes {parts} parts, {rules.max_parts} are allowed"
        return Refusal(GateRule.TEXT_TOO_LONG, words)
    return None


def pending_for(
    row: HandsetConsent | None,
    sender: Sender,
    judged: list[Key],
    directory: Directory,
    now: datetime,
) -> PendingStop | None:
    """The stop that an application's confirmation from this sender confirms; None: none is due."""
    if row is None or (sender.number is not None and sender.number.mt_billed):
        return None
    until = seconds_of(now)
    for pending in pending_stops(row.timelines, until=until):
        contains = any(key in pending.keys for key in judged)
        is_linked = (
            sender.sender_id != pending.stop.number
            and confirming_number(pending.stop.number, directory) == sender.sender_id
        )
        if until < pending.due and (contains or is_linked):
            return pending
    return None


def not_due(row: HandsetConsent | None, judged: list[Key], now: datetime) -> Refusal:
    """`confirmation-not-due`, with the stop that is confirmed already or is too old, if any."""
    words = "no confirmation of a stop is due from this sender: none was asked for, or it is out"
    stop = opted_out(row, judged, now)
    return Refusal(
        GateRule.CONFIRMATION_NOT_DUE,
        f"{words}; {stop.words}" if stop else words,
        stop.key if stop else None,
        stop.event if stop else None,
    )


def stale(request: MtRequest, now: datetime, *, id_reused: bool) -> Refusal | None:
    """The rules `id-reused` and `expired`."""
    if id_reused:
        words = "this request id was used before with other content"
        return Refusal(GateRule.ID_REUSED, words)
    if request.not_after is not None and request.not_after < now:
        return Refusal(GateRule.EXPIRED, "its not_after is past")
    return None


def too_many_open(*, is_so: bool) -> Refusal | None:
    """`too-many-open`: as many commands are open for this handset as may be."""
    if not is_so:
        return None
    return Refusal(GateRule.TOO_MANY_OPEN, TOO_MANY_WORDS)
