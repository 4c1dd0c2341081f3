"""Enters a stop or a re-enabling message into the timelines of its scopes (G7.1)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from pipeline.records import ConsentRule, CustomReply, MoMessage, Number, ScopeKind
from pipeline.sms.timestamp import seconds_of
from pipeline.stages.consent.answers.confirmation import send_confirmation
from pipeline.stages.consent.pending import pending_stops
from pipeline.stages.consent.reading import Meaning, Reading
from pipeline.stages.consent.row import DUE, Effect, Event
from pipeline.stages.consent.scopes.scopes import Key, account_key, holds, keyword_key, number_key
from pipeline.stages.consent.scopes.timeline import fold

if TYPE_CHECKING:
    from pipeline.stages.consent.draft import ConsentDraft

CONFIRMATION_WINDOW: Final = timedelta(hours=6)  # G7.1.1
RETRIES_LAST: Final = timedelta(minutes=254)  # G8.3.1: 2 + 4 + 8 + 16 + 32 + 64 + 128

_RULES: Final = {
    Meaning.STOP: ConsentRule.STOP_WORD.value,
    Meaning.KEYWORD_STOP: ConsentRule.KEYWORD_STOP.value,
    Meaning.STOP_ALL: ConsentRule.STOP_ALL.value,
}


def take_stop(
    draft: ConsentDraft,
    message: MoMessage,
    reading: Reading,
    number: Number | None,
    *,
    at: int,
    lead: timedelta,
) -> None:
    """Enter a stop at the gateway's time. If there is a custom reply, it confirms the stop now."""
    premium = number is not None and number.premium  # the gateway neither waits nor blocks (G7.1.1)
    deadline = _window_start(message) + CONFIRMATION_WINDOW
    is_a_loop = draft.directory.find(message.handset) is not None  # never sent to (G8.5)
    lead = timedelta() if is_a_loop else lead
    stop = Event(
        at=at,
        arrival=draft.next_arrival(),
        ours=int(Effect.STOP_AT_ONCE if premium else Effect.STOP),
        gateway=_effect_on_gateway(reading, premium=premium),
        rule=_RULES[reading.meaning],
        message_id=message.message_id,
        number=message.number,
        due=seconds_of(deadline - lead),
        deadline=seconds_of(deadline),
    )
    if reading.meaning is Meaning.STOP_ALL:
        draft.scopes.add([account_key(draft.directory.account_of(message.number))], stop)
        # Give each keyword its own timeline, so that later messages can re-enable them one by one.
        keywords = draft.directory.keywords_of(message.number)
        draft.scopes.follow_account(keyword_key(message.number, word) for word in keywords)
    else:
        draft.scopes.add(_keys_texted(draft, message.number, reading), stop)
    draft.note_changes()
    reply = _custom_reply(number, reading.word)
    if reply is not None and not (is_a_loop and reply.sent_by == "us"):
        _reply_at_once(draft, stop, reply)


def _effect_on_gateway(reading: Reading, *, premium: bool) -> int:
    """The effect of a stop on the gateway's side, which knows only the guide's words (G7.1)."""
    if not reading.is_the_guides:
        return int(Effect.OPEN if reading.opens_gateway else Effect.NONE)
    return int(Effect.NONE if premium else Effect.STOP)


def take_opening(draft: ConsentDraft, message: MoMessage, reading: Reading, *, at: int) -> None:
    """Enter a message that re-enables a side. It is remembered even if it changes nothing."""
    keys = _keys_texted(draft, message.number, reading)
    is_plain = len(keys) == 1 and keys[0][0] == ScopeKind.NUMBER
    opening = Event(
        at=at,
        arrival=draft.next_arrival(),
        ours=int(Effect.OPEN if reading.opens_ours else Effect.NONE),
        gateway=int(Effect.OPEN),
        message_id=message.message_id,
        number="" if is_plain else message.number,  # the scope already names the number
    )
    draft.scopes.add(keys, opening)
    if draft.row.stopped_once:
        draft.note_changes()


def _keys_texted(draft: ConsentDraft, number: str, reading: Reading) -> list[Key]:
    """The scopes of a message: keywords, or the number's scope, and its scope before a range."""
    if draft.directory.keywords_of(number):
        keys = [keyword_key(number, keyword) for keyword in reading.keywords]
        if reading.meaning is Meaning.STOP:  # without a keyword: also keywords no longer listed
            held = (t.key for t in draft.scopes if t.scope_kind == ScopeKind.KEYWORD)
            keys += [key for key in held if holds(key, number) and key not in keys]
        return keys
    key = number_key(draft.directory, number)
    alone = (ScopeKind.NUMBER.value, number)
    return [key, alone] if key != alone and draft.scopes.find(alone) else [key]


def _window_start(message: MoMessage) -> datetime:
    """When the six hours begin: at the gateway's time, unless that is older than its retries."""
    lateness = message.received_at - message.gateway_time
    return message.gateway_time if timedelta() <= lateness <= RETRIES_LAST else message.received_at


def _custom_reply(number: Number | None, word: str) -> CustomReply | None:
    replies = number.custom_replies if number and word else []
    return next((r for r in replies if r.word == word and r.enabled), None)


def _reply_at_once(draft: ConsentDraft, stop: Event, reply: CustomReply) -> None:
    """Send the custom reply, or note that the gateway does, if the stop needs a confirmation."""
    until = seconds_of(draft.now)
    waiting = pending_stops(draft.scopes, until=until)
    pending = next((p for p in waiting if p.stop.arrival == stop.arrival), None)
    if reply.sent_by != "us":
        if pending is None and not _is_due_to_gateway(draft, stop, until):
            return
        draft.confirm(stop, ConsentRule.GATEWAY_CONFIRMED, at=stop.at)
    elif pending is not None:
        send_confirmation(draft, pending, text=reply.text)
    else:
        return
    draft.note_changes()


def _is_due_to_gateway(draft: ConsentDraft, stop: Event, until: int) -> bool:
    """Whether the gateway awaits the confirmation of this stop, though ours has an earlier one.

    HELP re-enables the gateway's side alone, so the next stop is new to the gateway.
    """
    for timeline in draft.scopes:
        if timeline.has_stops and timeline.events:
            gateway = fold(timeline.events, until=until).gateway
            if gateway.state == DUE and gateway.stop.arrival == stop.arrival:
                return True
    return False
