"""Checks a command again before each attempt to send: was the handset stopped, is it too late?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.identity import derived_id
from pipeline.records import GateRule, MtRejection, Purpose
from pipeline.sms.timestamp import time_of
from pipeline.stages.consent.scopes import scope_from_key
from pipeline.stages.gate.rules import judged_scopes, opted_out

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.records import MtCommand
    from pipeline.stages.consent.row import HandsetConsent


def refuse_before_sending(
    row: HandsetConsent | None, command: MtCommand, *, now: datetime
) -> MtRejection | None:
    """The rejection to write instead of sending, or None. A stop refuses only replies."""
    keys = [(scope.scope_kind, scope.scope) for scope in command.scopes]
    stopped = None
    if command.purpose == Purpose.REPLY:
        stopped = opted_out(row, judged_scopes(row, keys), now)
    if stopped is None and command.not_after >= now:
        return None
    rule = GateRule.OPTED_OUT_BEFORE_SENT if stopped else GateRule.EXPIRED
    scope = scope_from_key(stopped.key) if stopped and stopped.key else None
    event = stopped.event if stopped else None
    return MtRejection(
        rejection_id=derived_id("mt-rejection", command.command_id, rule),
        request_id=command.request_id,
        command_id=command.command_id,
        handset=command.handset,
        sender_id=command.sender_id,
        rule=rule.value,
        detail=stopped.words if stopped else "its not_after is past",
        mo_message_id=event.message_id if event else "",
        caused_at=time_of(event.at) if event else None,
        scope_kind=scope.scope_kind if scope else "",
        scope=scope.scope if scope else "",
        at=now,
    )
