"""Confirmations of stops (G7.1.1, G7.2): what is due, from which number, in which words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.identity import derived_id
from pipeline.records import ConsentRule, Purpose, ScopeKind
from pipeline.sms.timestamp import seconds_of, time_of
from pipeline.stages.command import make_command
from pipeline.stages.consent.row import OPEN, Confirmation, Event, Timeline
from pipeline.stages.consent.scopes import Key, holds, scope_from_key
from pipeline.stages.consent.timeline import fold

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.directory.directory import Directory
    from pipeline.stages.consent.draft import Deciding

DEFAULT_TEXT: Final = "You will no longer receive messages from the short code {number}"  # G7.1.1


class PendingStop(NamedTuple):
    """A stop whose confirmation is due, with every scope it holds."""

    stop: Event
    due: int
    deadline: int
    keys: list[Key]
    ours_to_send: bool  # False: re-enabled where it was texted; the gateway confirms the rest


def pending_stops(timelines: Iterable[Timeline], *, until: int) -> list[PendingStop]:
    """What is due once all deadlines up to `until` have passed, in order of the stops' arrival."""
    timelines = list(timelines)
    found: dict[int, PendingStop] = {}
    for timeline in timelines:
        if timeline.is_said_settled or not timeline.has_stops:
            continue
        folded = fold(timeline.events, until=until)
        stop = folded.pending
        if stop is None:
            continue
        deadline, keys = folded.pending_deadline, [timeline.key]
        earlier = found.get(stop.arrival)
        if earlier:
            deadline, keys = min(deadline, earlier.deadline), [*earlier.keys, *keys]
        due = deadline - (stop.deadline - stop.due)
        found[stop.arrival] = PendingStop(stop, due, deadline, keys, ours_to_send=True)
    return [
        PendingStop(
            pending.stop,
            pending.due,
            pending.deadline,
            pending.keys,
            ours_to_send=not _is_cancelled(pending, timelines),
        )
        for _, pending in sorted(found.items())
    ]


def _is_cancelled(pending: PendingStop, timelines: list[Timeline]) -> bool:
    """Whether the number a STOP ALL was texted to was re-enabled: its text would be untrue."""
    if pending.stop.rule != ConsentRule.STOP_ALL:
        return False
    texted = [t.key for t in timelines if holds(t.key, pending.stop.number)]
    accounts = [t.key for t in timelines if t.scope_kind == ScopeKind.ACCOUNT]
    return not any(key in pending.keys for key in texted or accounts)


def confirming_number(number: str, directory: Directory) -> str:
    """The number a confirmation goes out from: the one texted, or the linked one (G7.1.1)."""
    entry = directory.find(number)
    return entry.linked if entry and entry.mt_billed and entry.linked else number


def send_confirmation(deciding: Deciding, pending: PendingStop, *, text: str | None = None) -> None:
    """Confirm a stop, now: with a custom text, or with the default one."""
    purpose = Purpose.CUSTOM_REPLY if text else Purpose.CONFIRMATION
    _send(
        deciding,
        pending.stop.message_id,
        pending.stop.number,
        pending.deadline,
        pending.keys,
        purpose,
        text,
    )
    deciding.confirm(pending.stop, ConsentRule.CONFIRMED, at=seconds_of(deciding.now))


def send_again(deciding: Deciding, failed: Confirmation) -> None:
    """Follow a confirmation that failed for good by the default text, once, before the deadline."""
    deciding.confirmations = [sent for sent in deciding.confirmations if sent != failed]
    now = seconds_of(deciding.now)
    keys = [t.key for t in deciding.scopes if _still_stops(t, failed.message_id, now)]
    if failed.is_default or now >= failed.deadline or not keys:
        return
    _send(
        deciding,
        failed.message_id,
        failed.number,
        failed.deadline,
        keys,
        Purpose.CONFIRMATION,
        None,
    )


def _still_stops(timeline: Timeline, message_id: str, now: int) -> bool:
    """Whether the stop of this message still holds the scope."""
    if not timeline.has_stops:
        return False
    ours = fold(timeline.events, until=now).ours
    return ours.state != OPEN and any(e.message_id == message_id for e in ours.made_by)


def _send(
    deciding: Deciding,
    message_id: str,
    number: str,
    deadline: int,
    keys: list[Key],
    purpose: Purpose,
    text: str | None,
) -> None:
    words = text or DEFAULT_TEXT.format(number=number)
    command = make_command(
        request_id=derived_id("confirmation", deciding.handset, message_id, words),
        purpose=purpose,
        sender=confirming_number(number, deciding.directory),
        handset=deciding.handset,
        text=words,
        at=deciding.now,
        not_after=time_of(deadline),
        scopes=[scope_from_key(key) for key in keys],
        directory=deciding.directory,
        keyword=_keyword_of(deciding, number, keys),
        message_id=message_id,
    )
    deciding.commands.append(command)
    deciding.remember_confirmation(
        Confirmation(command.command_id, message_id, number, deadline, is_default=text is None)
    )


def _keyword_of(deciding: Deciding, code: str, keys: list[Key]) -> str:
    """The keyword a confirmation goes out under: the one stopped; of several the last one used."""
    keywords = [
        scope.partition("/")[2]
        for kind, scope in keys
        if kind == ScopeKind.KEYWORD and holds((kind, scope), code)
    ]
    used = next((use.keyword for use in deciding.keyword_uses if use.code == code), "")
    return used if used in keywords else next(iter(keywords), "")
