"""Makes the confirmations of stops (G7.1.1, G7.2): their sender and their text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.identity import derived_id
from pipeline.records import MtCommand, Purpose, ScopeKind
from pipeline.sms.timestamp import seconds_of, time_of
from pipeline.stages.command import make_command
from pipeline.stages.consent.row import OPEN, Confirmation, Timeline
from pipeline.stages.consent.scopes.scopes import Key, holds, scope_from_key
from pipeline.stages.consent.scopes.timeline import fold

if TYPE_CHECKING:
    from pipeline.directory.directory import Directory
    from pipeline.stages.consent.draft import ConsentDraft
    from pipeline.stages.consent.pending import PendingStop

DEFAULT_TEXT: Final = "You will no longer receive messages from the short code {number}"  # G7.1.1


def confirming_number(number: str, directory: Directory) -> str:
    """The sender of a confirmation: the number texted, or the number linked to it (G7.1.1)."""
    entry = directory.find(number)
    return entry.linked if entry and entry.mt_billed and entry.linked else number


def send_confirmation(
    draft: ConsentDraft, pending: PendingStop, *, text: str | None = None
) -> None:
    """Confirm a stop now, with a custom text or with the default text."""
    stop = pending.stop
    command = _command(
        draft, stop.message_id, stop.number, pending.deadline, pending.keys, text=text
    )
    draft.confirm_with(command, pending, is_default=text is None)


def send_again(draft: ConsentDraft, failed: Confirmation) -> None:
    """After a confirmation has failed for good, send the default text, once, until the deadline."""
    draft.forget_confirmation(failed)
    now = seconds_of(draft.now)
    keys = [t.key for t in draft.scopes if _still_stops(t, failed.message_id, now)]
    if failed.is_default or now >= failed.deadline or not keys:
        return
    command = _command(draft, failed.message_id, failed.number, failed.deadline, keys, text=None)
    draft.send_instead(command, failed)


def _still_stops(timeline: Timeline, message_id: str, now: int) -> bool:
    """Whether the scope is still stopped because of this message."""
    if not timeline.has_stops:
        return False
    ours = fold(timeline.events, until=now).ours
    return ours.state != OPEN and any(e.message_id == message_id for e in ours.made_by)


def _command(
    draft: ConsentDraft,
    message_id: str,
    number: str,
    deadline: int,
    keys: list[Key],
    *,
    text: str | None,
) -> MtCommand:
    """The command that confirms the stop of this message, which was texted to `number`."""
    words = text or DEFAULT_TEXT.format(number=number)
    return make_command(
        request_id=derived_id("confirmation", draft.handset, message_id, words),
        purpose=Purpose.CUSTOM_REPLY if text else Purpose.CONFIRMATION,
        sender=confirming_number(number, draft.directory),
        handset=draft.handset,
        text=words,
        at=draft.now,
        not_after=time_of(deadline),
        scopes=[scope_from_key(key) for key in keys],
        directory=draft.directory,
        keyword=_keyword_of(draft, number, keys),
        message_id=message_id,
    )


def _keyword_of(draft: ConsentDraft, code: str, keys: list[Key]) -> str:
    """The keyword of a confirmation: the stopped keyword; of several, the one used last."""
    keywords = [
        scope.partition("/")[2]
        for kind, scope in keys
        if kind == ScopeKind.KEYWORD and holds((kind, scope), code)
    ]
    used = draft.keyword_used_at(code)
    return used if used in keywords else next(iter(keywords), "")
