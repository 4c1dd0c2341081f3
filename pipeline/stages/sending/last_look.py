"""The check before each attempt: has the handset stopped, is it too late, is it still due?"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pipeline.identity import derived_id
from pipeline.records import GateRule, MtRejection, Purpose
from pipeline.sms.timestamp import seconds_of, time_of
from pipeline.stages.consent.row import OPEN, Event
from pipeline.stages.consent.scopes import Key, scope_from_key
from pipeline.stages.consent.timeline import fold
from pipeline.stages.gate.rules import TOO_MANY_WORDS, judged_scopes, opted_out

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.stages.consent.row import HandsetConsent
    from pipeline.stages.sending.row import OpenCommand

#: They follow a stop, and pass it.
CONFIRMING = frozenset({Purpose.CONFIRMATION.value, Purpose.CUSTOM_REPLY.value})


class _Ground(NamedTuple):
    rule: GateRule
    words: str
    key: Key | None = None
    event: Event | None = None


def refuse_before_sending(
    row: HandsetConsent | None, command: OpenCommand, *, now: datetime
) -> MtRejection | None:
    """The rejection that replaces the sending, or None.

    A reply is refused when a scope that it was judged by is stopped. A confirmation passes a stop,
    but is refused when a message has re-enabled every scope since. The answer to HELP passes.
    """
    ground = None
    if command.purpose == Purpose.REPLY:
        ground = _stopped(row, command, now)
    elif command.purpose in CONFIRMING:
        ground = _re_enabled(row, command, now)
    if ground is None and command.not_after < now:
        ground = _Ground(GateRule.EXPIRED, "its not_after is past")
    return None if ground is None else _rejection(command, ground, now)


def _stopped(row: HandsetConsent | None, command: OpenCommand, now: datetime) -> _Ground | None:
    stopped = opted_out(row, judged_scopes(row, command.scopes), now)
    if stopped is None:
        return None
    return _Ground(GateRule.OPTED_OUT_BEFORE_SENT, stopped.words, stopped.key, stopped.event)


def _re_enabled(row: HandsetConsent | None, command: OpenCommand, now: datetime) -> _Ground | None:
    """Refuse the confirmation of a stop that no longer holds anywhere (guide 7.1.1)."""
    if row is None:
        return None
    until = seconds_of(now)
    opening = None
    for timeline in row.timelines:
        if timeline.key not in command.scopes:
            continue
        folded = fold(timeline.events, until=until)
        if folded.ours.state != OPEN or folded.gateway.state != OPEN:
            return None
        opening = folded.ours.last_opening or opening
    if opening is None:
        return None
    words = "a message re-enabled the sender before the confirmation was sent"
    return _Ground(GateRule.CONFIRMATION_NOT_DUE, words, event=opening)


def refuse_as_too_many(command: OpenCommand, *, now: datetime) -> MtRejection:
    """The rejection of a command of our own that does not fit into the outbox."""
    return _rejection(command, _Ground(GateRule.TOO_MANY_OPEN, TOO_MANY_WORDS), now)


def _rejection(command: OpenCommand, ground: _Ground, now: datetime) -> MtRejection:
    scope = scope_from_key(ground.key) if ground.key else None
    event = ground.event
    return MtRejection(
        rejection_id=derived_id("mt-rejection", command.command_id, ground.rule),
        request_id=command.request_id,
        command_id=command.command_id,
        handset=command.handset,
        sender_id=command.sender_id,
        rule=ground.rule.value,
        detail=ground.words,
        mo_message_id=event.message_id if event else "",
        caused_at=time_of(event.at) if event else None,
        scope_kind=scope.scope_kind if scope else "",
        scope=scope.scope if scope else "",
        at=now,
    )
