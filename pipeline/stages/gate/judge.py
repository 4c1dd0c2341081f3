"""The gate: makes a command of an MT request, or a rejection that says why (G6, G7, G8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.identity import derived_id, request_digest
from pipeline.records import MtCommand, MtRejection, MtRequest, Purpose
from pipeline.sms.msisdn import address_from_text
from pipeline.sms.timestamp import time_of
from pipeline.stages.command import make_command
from pipeline.stages.consent.decision import Decision
from pipeline.stages.consent.draft import ConsentDraft
from pipeline.stages.consent.scopes.scopes import scope_from_key
from pipeline.stages.gate.rejection import rejection_from_refusal
from pipeline.stages.gate.rules import (
    GateRules,
    Refusal,
    judged_scopes,
    malformed,
    not_due,
    opted_out,
    pending_for,
    stale,
    too_many_open,
)
from pipeline.stages.gate.sender import Sender, choose_sender, scopes_of_sender

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.directory.directory import Directory
    from pipeline.stages.consent.pending import PendingStop
    from pipeline.stages.consent.row import HandsetConsent

__all__ = ["GateRules", "judge"]


def judge(
    row: HandsetConsent | None,
    request: MtRequest,
    *,
    directory: Directory,
    now: datetime,
    rules: GateRules,
    id_reused: bool = False,
    too_many: bool = False,
) -> Decision:
    """The command or the rejection of a request. Only a confirmation changes the row.

    `id_reused`: the same request id was judged before with another `request_digest`.
    `too_many`: as many commands are open for this handset as may be.
    """
    handset = address_from_text(request.to)
    sender = choose_sender(row, request, directory)
    keys = scopes_of_sender(sender, row, directory)
    judged = judged_scopes(row, keys)
    confirms = request.confirms_opt_out  # `not_due` judges it, and not `opted_out`
    pending = pending_for(row, sender, judged, directory, now) if confirms else None
    refusal = (
        (None if confirms else opted_out(row, judged, now))
        or malformed(request, handset, sender, directory, rules)
        or (not_due(row, judged, now) if confirms and pending is None else None)
        or stale(request, now, id_reused=id_reused)
        or (None if confirms else too_many_open(is_so=too_many))
    )
    if refusal:
        return Decision(row=row, rejections=[_rejection(request, handset, sender, refusal, now)])
    command = make_command(
        request_id=request.request_id,
        purpose=Purpose.CONFIRMATION if pending else Purpose.REPLY,
        sender=sender.sender_id,
        handset=handset,
        text=request.text,
        at=now,
        not_after=_not_after(request, pending, now, rules),
        scopes=[scope_from_key(key) for key in keys],
        directory=directory,
        api_id=sender.api_id,
        account=sender.account,
        keyword=sender.keyword,
        message_id=pending.stop.message_id if pending else "",
    )
    if pending is None:
        return Decision(row=row, commands=[command])
    return _confirmed(row, handset, pending, command, directory=directory, now=now)


def _not_after(
    request: MtRequest, pending: PendingStop | None, now: datetime, rules: GateRules
) -> datetime:
    not_after = request.not_after or now + rules.validity
    return min(not_after, time_of(pending.deadline)) if pending else not_after


def _confirmed(
    row: HandsetConsent | None,
    handset: str,
    pending: PendingStop,
    command: MtCommand,
    *,
    directory: Directory,
    now: datetime,
) -> Decision:
    """The decision for an application's own confirmation: its stop is confirmed in all scopes."""
    draft = ConsentDraft(row, handset, directory, now)
    draft.confirm_with(command, pending, is_default=False)
    draft.note_changes()
    return draft.decide()


def _rejection(
    request: MtRequest, handset: str, sender: Sender, refusal: Refusal, now: datetime
) -> MtRejection:
    digest = request_digest(request).hex()
    return rejection_from_refusal(
        refusal,
        rejection_id=derived_id("mt-rejection", request.request_id, handset, refusal.rule, digest),
        request_id=request.request_id,
        handset=handset,
        sender_id=sender.sender_id,
        now=now,
    )
