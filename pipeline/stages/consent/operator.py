"""Operators' orders: stops and openings that did not come by SMS, on our side only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pipeline.identity import derived_id
from pipeline.records import (
    ConsentAction,
    ConsentRequest,
    ConsentRule,
    ForgetRequest,
    Reason,
    Rejected,
)
from pipeline.sms.msisdn import address_from_text, is_digits, is_international
from pipeline.sms.timestamp import seconds_of
from pipeline.sms.words.stopwords import words_of
from pipeline.stages.consent.draft import ConsentDraft
from pipeline.stages.consent.row import Effect, Event, HandsetConsent
from pipeline.stages.consent.scopes.scopes import Key, account_key, keyword_key, number_key

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.directory.directory import Directory
    from pipeline.stages.consent.decision import Decision


class OperatorOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order to stop or open a handset, with who gave it and why.

    Without a number it concerns the account. On a shared short code without a keyword, it concerns
    every keyword of ours. `mo_message_id` is the reviewed message, if there is one.
    """

    handset: str
    stops: bool
    actor: str
    reason: str
    number: str = ""
    keyword: str = ""
    account: str = ""
    mo_message_id: str = ""


def order_key(request: ConsentRequest | ForgetRequest) -> bytes:
    """The key under which an order's id is remembered; it differs from ids of MT requests."""
    kind = "forget-request" if isinstance(request, ForgetRequest) else "consent-request"
    return b"\xff" + bytes.fromhex(derived_id(kind, request.request_id))


def order_from_request(
    request: ConsentRequest, *, directory: Directory
) -> OperatorOrder | Rejected | None:
    """The order in a record; None for a dismissed review, which changes nothing."""
    wrong = _what_is_wrong(request, directory)
    if wrong:
        return Rejected(Reason.WRONG_ORDER, wrong)
    if request.action == ConsentAction.DISMISS:
        return None
    return OperatorOrder(
        handset=address_from_text(request.handset),
        stops=request.action != ConsentAction.OPEN,
        actor=request.actor,
        reason=request.reason,
        number=address_from_text(request.number),
        keyword=request.keyword,
        account=request.account,
        mo_message_id=request.mo_message_id,
    )


def _what_is_wrong(request: ConsentRequest, directory: Directory) -> str:
    """Why the order cannot be carried out, without personal data; empty if it can."""
    number = address_from_text(request.number)
    if request.action not in set(ConsentAction):
        return "the action is none of stop, open, accept and dismiss"
    if not request.request_id:
        return "it has no id"
    reviews = request.action in (ConsentAction.ACCEPT, ConsentAction.DISMISS)
    handset = address_from_text(request.handset)
    # The handset of a review is the one that texted. It need not be international, because in
    # doubt a stop counts.
    if not is_digits(handset):
        return "the handset is not digits"
    if not reviews and not is_international(handset):
        return "the handset is no number that can be sent to"
    if number and not is_digits(number):
        return "the number is not digits"
    if not request.actor.strip() or not request.reason.strip():
        return "it does not say who orders it and why"
    if reviews != bool(request.mo_message_id):
        return "a review names its message, and nothing else does"
    if request.account and request.account not in directory.accounts:
        return "there is no such account"
    if request.keyword and not _keys_of(number, request.keyword, directory):
        return "the number has no such keyword"
    return ""


def take_order(
    row: HandsetConsent | None, order: OperatorOrder, *, directory: Directory, now: datetime
) -> Decision:
    """Carry out an order: our side changes now, the gateway's side never; no confirmation."""
    draft = ConsentDraft(row, order.handset, directory, now)
    event = Event(
        at=seconds_of(now),
        arrival=draft.next_arrival(),
        ours=int(Effect.STOP_AT_ONCE if order.stops else Effect.OPEN),
        gateway=int(Effect.NONE),
        rule=ConsentRule.OPERATOR.value,
        message_id=order.mo_message_id,
        number=order.number,
        actor=order.actor,
        reason=order.reason,
    )
    if order.number:
        keys = _keys_of(order.number, order.keyword, directory)
    else:
        account = order.account or directory.default_account
        keys = [account_key(account)]
        if not order.stops:
            # Numbers without a history have the account's state. But the gateway never blocks a
            # premium number, so these get timelines of their own.
            for number in directory.premium_of(account):
                draft.scopes.follow_account(_keys_of(number.first, "", directory))
    draft.scopes.add(keys, event)
    draft.note_changes()
    return draft.decide()


def _keys_of(number: str, keyword: str, directory: Directory) -> list[Key]:
    keywords = directory.keywords_of(number)
    wanted = " ".join(words_of(keyword)).upper()
    if not keywords:
        return [] if wanted else [number_key(directory, number)]
    return [keyword_key(number, each) for each in keywords if wanted in ("", each)]
