"""The check before each attempt: has the handset stopped, is it too late, is it still due?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.identity import derived_id
from pipeline.records import GateRule, MtRejection, Purpose
from pipeline.sms.timestamp import seconds_of
from pipeline.stages.consent.row import OPEN
from pipeline.stages.consent.scopes.timeline import fold
from pipeline.stages.gate.rejection import rejection_from_refusal
from pipeline.stages.gate.rules import TOO_MANY_WORDS, Refusal, judged_scopes, opted_out

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.stages.consent.row import HandsetConsent
    from pipeline.stages.sending.row import OpenCommand

#: They follow a stop, and pass it.
CONFIRMING = frozenset({Purpose.CONFIRMATION.value, Purpose.CUSTOM_REPLY.value})


def refuse_before_sending(
    row: HandsetConsent | None, command: OpenCommand, *, now: datetime
) -> MtRejection | None:
    """The rejection that replaces the sending, or None.

    A reply is refused when a scope that it was judged by is stopped. A confirmation passes a stop,
    but is refused when a message has re-enabled every scope since. The answer to HELP passes.
    """
    refusal = None
    if command.purpose == Purpose.REPLY:
        refusal = _stopped(row, command, now)
    elif command.purpose in CONFIRMING:
        refusal = _re_enabled(row, command, now)
    if refusal is None and command.not_after < now:
        refusal = Refusal(GateRule.EXPIRED, "its not_after is past")
    return None if refusal is None else _rejection(command, refusal, now)


def _stopped(row: HandsetConsent | None, command: OpenCommand, now: datetime) -> Refusal | None:
    stopped = opted_out(row, judged_scopes(row, command.scopes), now)
    if stopped is None:
        return None
    return Refusal(GateRule.OPTED_OUT_BEFORE_SENT, stopped.words, stopped.key, stopped.event)


def _re_enabled(row: HandsetConsent | None, command: OpenCommand, now: datetime) -> Refusal | None:
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
    return Refusal(GateRule.CONFIRMATION_NOT_DUE, words, event=opening)


def refuse_as_too_many(command: OpenCommand, *, now: datetime) -> MtRejection:
    """The rejection of a command of our own that does not fit into the outbox."""
    return _rejection(command, Refusal(GateRule.TOO_MANY_OPEN, TOO_MANY_WORDS), now)


def _rejection(command: OpenCommand, refusal: Refusal, now: datetime) -> MtRejection:
    return rejection_from_refusal(
        refusal,
        rejection_id=derived_id("mt-rejection", command.command_id, refusal.rule),
        request_id=command.request_id,
        command_id=command.command_id,
        handset=command.handset,
        sender_id=command.sender_id,
        now=now,
    )
