"""Stops and openings that did not come by SMS: an operator's, of ours alone (SPEC 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pipeline.records import ConsentRule
from pipeline.sms.stopwords import words_of
from pipeline.stages.consent_deciding import Deciding
from pipeline.stages.consent_row import Effect, Event, HandsetConsent, seconds_of
from pipeline.stages.consent_scopes import Key, account_key, keyword_key, number_key

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.numbers import Directory
    from pipeline.stages.consent_decision import Decision


class OperatorOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Who wants a handset stopped or opened, for what, and why.

    Without a number it is the account; on a shared short code without a keyword, every keyword of
    ours. `mo_message_id` is the message under review, where there is one.
    """

    handset: str
    stops: bool
    actor: str
    reason: str
    number: str = ""
    keyword: str = ""
    account: str = ""
    mo_message_id: str = ""


def take_order(
    row: HandsetConsent | None, order: OperatorOrder, *, directory: Directory, now: datetime
) -> Decision:
    """Ours changes now, the gateway's never; nothing is confirmed to the handset."""
    deciding = Deciding(row, order.handset, directory, now)
    event = Event(
        seconds_of(now),
        deciding.next_arrival(),
        int(Effect.STOP_AT_ONCE if order.stops else Effect.OPEN),
        int(Effect.NONE),
        ConsentRule.OPERATOR.value,
        order.mo_message_id,
        order.number,
        actor=order.actor,
        reason=order.reason,
    )
    deciding.scopes.add(_keys_of(order, directory), event)
    deciding.publish()
    return deciding.decide()


def _keys_of(order: OperatorOrder, directory: Directory) -> list[Key]:
    if not order.number:
        return [account_key(order.account or directory.default_account)]
    keywords = directory.keywords_of(order.number)
    if not keywords:
        return [number_key(directory, order.number)]
    wanted = " ".join(words_of(order.keyword)).upper()
    return [keyword_key(order.number, k) for k in keywords if wanted in ("", k)]
