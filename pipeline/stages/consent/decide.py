"""Decides on consent: who said STOP, to what, since when, and which confirmations follow (G7).

Each function takes a handset's row and one event, and returns a `Decision`, without a clock and
without Kafka. `reading` finds the meaning of a text, `timeline` computes the state of a scope, and
`revisions` finds the changes to publish.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.records import ConsentRule, Flag, MoMessage, Number
from pipeline.sms.msisdn import is_digits, written_digits
from pipeline.sms.timestamp import seconds_of, time_of
from pipeline.stages.consent.answers.confirmation import send_again, send_confirmation
from pipeline.stages.consent.answers.help import answer_help
from pipeline.stages.consent.decision import ConsentRules, Decision
from pipeline.stages.consent.doubt import is_plain, needs_a_reader, read_in_doubt
from pipeline.stages.consent.draft import ConsentDraft
from pipeline.stages.consent.fast_path import row_after_words
from pipeline.stages.consent.message import take_opening, take_stop
from pipeline.stages.consent.pending import pending_stops
from pipeline.stages.consent.reading import Meaning, Reading, read_message
from pipeline.stages.consent.row import (
    Effect,
    Event,
    HandsetConsent,
    consent_from_octets,
    octets_from_consent,
)
from pipeline.stages.consent.scopes.scopes import holds, number_key
from pipeline.stages.consent.scopes.timeline import NEVER

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.directory.directory import Directory
    from pipeline.stages.consent.scopes.scopes import Key

__all__ = [
    "ConsentRules",
    "Decision",
    "HandsetConsent",
    "consent_due_at",
    "consent_from_octets",
    "decide_on_message",
    "fall_due",
    "octets_from_consent",
    "take_failure",
    "take_gateway_block",
    "take_message",
]

LONGEST_ADDRESS: Final = 64  # characters; no number is longer, in whatever form it is written


def take_message(
    row: HandsetConsent | None,
    message: MoMessage,
    *,
    directory: Directory,
    now: datetime,
    rules: ConsentRules,
) -> Decision:
    """The decision on a message; its `message` must be published, and may have more flags."""
    number = directory.find(message.number)
    if not is_digits(message.handset):
        return Decision(row=row, message=_without_consent(message, number))
    reading = read_message(message, number)
    if message.flags or reading.meaning is not Meaning.OPENING or not is_plain(message.text):
        reading = read_in_doubt(message, number, reading)
        if needs_a_reader(message, reading):
            message = _flagged(message, Flag.REVIEW)
    gateway_time, received_at = message.gateway_time, message.received_at
    at = seconds_of(gateway_time if gateway_time < received_at else received_at)
    after = row_after_words(row, message, reading, number, at=at)
    if after is not None:
        return Decision(row=after, message=message)
    return decide_on_message(
        row, message, reading, number, directory=directory, now=now, rules=rules, at=at
    )


def decide_on_message(
    row: HandsetConsent | None,
    message: MoMessage,
    reading: Reading,
    number: Number | None,
    *,
    directory: Directory,
    now: datetime,
    rules: ConsentRules,
    at: int,
) -> Decision:
    """The decision on a message of any meaning, for every scope that it may concern."""
    draft = ConsentDraft(row, message.handset, directory, max(now, message.received_at))
    draft.note_texted(message.number, at=at)
    if reading.used_keyword:
        draft.note_keyword(message.number, reading.used_keyword, at=at)
    match reading.meaning:
        case Meaning.STOP | Meaning.KEYWORD_STOP | Meaning.STOP_ALL:
            take_stop(draft, message, reading, number, at=at, lead=rules.lead)
        case Meaning.OPENING:
            take_opening(draft, message, reading, at=at)
        case Meaning.REVIEW:
            message = _flagged(message, Flag.REVIEW)
            if reading.opens_gateway:
                take_opening(draft, message, reading, at=at)
    if reading.is_help:
        answer_help(draft, message, number, at=at, validity=rules.validity)
    return draft.decide(message)


def _without_consent(message: MoMessage, number: Number | None) -> MoMessage:
    """The message of a handset that is not digits, flagged `no-consent`.

    It is flagged `review` too, if the handset is a number in another form and the text may be a
    stop.
    """
    message = _flagged(message, Flag.NO_CONSENT)
    if len(message.handset) > LONGEST_ADDRESS or not written_digits(message.handset):
        return message
    reading = read_in_doubt(message, number, read_message(message, number))
    is_opening = reading.meaning in (Meaning.OPENING, Meaning.NOTHING)
    return message if is_opening else _flagged(message, Flag.REVIEW)


def _flagged(message: MoMessage, flag: Flag) -> MoMessage:
    if flag.value in message.flags:
        return message
    return msgspec.structs.replace(message, flags=[*message.flags, flag.value])


def consent_due_at(row: HandsetConsent) -> datetime | None:
    """When `fall_due` has something to do: a confirmation to send, or a deadline that passes."""
    if not row.stopped_once:
        return None
    waiting = pending_stops(row.timelines, until=NEVER)
    times = [stop.due if stop.ours_to_send else stop.deadline for stop in waiting]
    return time_of(min(times)) if times else None


def fall_due(
    row: HandsetConsent, *, directory: Directory, now: datetime, rules: ConsentRules
) -> Decision:
    """Send the default texts that are due at `now`, and publish what the gateway has confirmed."""
    draft = ConsentDraft(row, row.handset, directory, now)
    until = seconds_of(now)
    for pending in pending_stops(draft.scopes, until=until):
        if pending.due <= until and pending.ours_to_send:
            send_confirmation(draft, pending)
    draft.note_changes()
    return draft.decide()


def take_failure(
    row: HandsetConsent | None,
    command_id: str,
    *,
    directory: Directory,
    now: datetime,
) -> Decision:
    """If a confirmation failed for good before its deadline, send the default text."""
    sent = None
    if row is not None:
        sent = next((c for c in row.confirmations if c.command_id == command_id), None)
    if row is None or sent is None:
        return Decision(row=row)
    draft = ConsentDraft(row, row.handset, directory, now)
    send_again(draft, sent)
    return draft.decide()


def take_gateway_block(
    row: HandsetConsent | None,
    handset: str,
    scopes: list[Key],
    *,
    sender_id: str,
    directory: Directory,
    now: datetime,
) -> Decision:
    """The gateway says that it blocks this handset (ERR 121, 122, 128) from the sender of an MT.

    The scope of that sender is stopped on the gateway's side; ours stays as it is; rule
    `gateway-said`. `scopes` are the MT's.
    """
    draft = ConsentDraft(row, handset, directory, now)
    event = Event(
        at=seconds_of(now),
        arrival=draft.next_arrival(),
        ours=int(Effect.NONE),
        gateway=int(Effect.STOP_AT_ONCE),
        rule=ConsentRule.GATEWAY_SAID.value,
        number=sender_id,
    )
    draft.scopes.add([_blocked_scope(scopes, sender_id, directory)], event)
    draft.note_changes()
    return draft.decide()


def _blocked_scope(scopes: list[Key], sender_id: str, directory: Directory) -> Key:
    """The scope of the sender: a confirmation of STOP ALL, or from a linked number, names others.

    A sender that is no number is in the account alone.
    """
    if not is_digits(sender_id):
        return scopes[-1]
    own = next((key for key in scopes if holds(key, sender_id)), None)
    return own or number_key(directory, sender_id)
