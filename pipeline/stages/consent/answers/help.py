"""Answers HELP (G7.2.1) with the custom reply, if one is defined and enabled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.directory.directory import TAGGED_RANGE, VMN
from pipeline.identity import derived_id
from pipeline.records import MoMessage, Number, Purpose
from pipeline.sms.timestamp import time_of
from pipeline.sms.words.stopwords import HELP
from pipeline.stages.command import make_command
from pipeline.stages.consent.answers.confirmation import confirming_number
from pipeline.stages.consent.scopes.scopes import account_key, number_key, scope_from_key

if TYPE_CHECKING:
    from datetime import timedelta

    from pipeline.stages.consent.draft import ConsentDraft


def answer_help(
    draft: ConsentDraft, message: MoMessage, number: Number | None, *, at: int, validity: timedelta
) -> None:
    """Answer HELP if it is not older than `validity`. The answer does not go through the gate."""
    text = _text_of(number)
    if number is None or not text or time_of(at) + validity <= draft.now:
        return
    sender = confirming_number(message.number, draft.directory)
    if number.premium and number.kind in (VMN, TAGGED_RANGE):  # never sends (G8.5)
        return
    if draft.directory.find(message.handset) is not None:  # a number of ours: a loop (G8.5)
        return
    keys = [number_key(draft.directory, message.number), account_key(number.account)]
    draft.send(
        make_command(
            request_id=derived_id("help", draft.handset, message.message_id),
            purpose=Purpose.HELP,
            sender=sender,
            handset=draft.handset,
            text=text,
            at=draft.now,
            not_after=time_of(at) + validity,
            scopes=[scope_from_key(key) for key in keys],
            directory=draft.directory,
            keyword=draft.keyword_used_at(message.number),
            message_id=message.message_id,
        )
    )


def _text_of(number: Number | None) -> str:
    replies = number.custom_replies if number else []
    reply = next((r for r in replies if r.word == HELP and r.enabled), None)
    return reply.text or "" if reply and reply.sent_by == "us" else ""
