"""The rejection that a refusal leads to, by the gate and before each attempt to send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.records import MtRejection
from pipeline.sms.timestamp import time_of
from pipeline.stages.consent.scopes.scopes import scope_from_key

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.stages.gate.rules import Refusal


def rejection_from_refusal(
    refusal: Refusal,
    *,
    rejection_id: str,
    request_id: str,
    handset: str,
    sender_id: str,
    now: datetime,
    command_id: str = "",
) -> MtRejection:
    """The rejection, with the message and the scope that the refusal rests on."""
    scope = scope_from_key(refusal.key) if refusal.key else None
    event = refusal.event
    return MtRejection(
        rejection_id=rejection_id,
        request_id=request_id,
        command_id=command_id,
        handset=handset,
        sender_id=sender_id,
        rule=refusal.rule.value,
        detail=refusal.words,
        mo_message_id=event.message_id if event else "",
        caused_at=time_of(event.at) if event else None,
        scope_kind=scope.scope_kind if scope else "",
        scope=scope.scope if scope else "",
        at=now,
    )
