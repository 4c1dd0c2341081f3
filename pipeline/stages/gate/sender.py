"""Chooses the sender of an MT, and finds the scopes of consent that contain it (G8.2, G8.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pipeline.directory.directory import SHARED_SHORT_CODE, TAGGED_RANGE, VMN, Directory
from pipeline.sms.msisdn import address_from_text, is_digits
from pipeline.sms.words.stopwords import words_of
from pipeline.stages.consent.answers.confirmation import confirming_number
from pipeline.stages.consent.row import OPEN
from pipeline.stages.consent.scopes.deciding_scopes import scopes_of_number
from pipeline.stages.consent.scopes.scopes import Key, account_key, keyword_key, number_key
from pipeline.stages.consent.scopes.timeline import NEVER, fold

if TYPE_CHECKING:
    from pipeline.records import MtRequest, Number
    from pipeline.stages.consent.row import HandsetConsent, Timeline


class Sender(NamedTuple):
    """The chosen sender. Only a shared short code has a `keyword`, and needs one."""

    sender_id: str
    number: Number | None  # the directory's number or range that contains the sender
    keyword: str
    account: str
    api_id: str

    @property
    def needs_keyword(self) -> bool:
        """Whether the sender is a shared short code and no keyword of ours is known."""
        return (
            self.number is not None and self.number.kind == SHARED_SHORT_CODE and not self.keyword
        )


def choose_sender(row: HandsetConsent | None, request: MtRequest, directory: Directory) -> Sender:
    """The request's sender, else the number texted last, else the api_id's number, else none."""
    of_api = directory.number_of_api_id(request.api_id or "")
    sender_id = address_from_text(request.sender_id or "")
    if not sender_id and row is not None:
        sender_id = row.last_number
        if request.confirms_opt_out:
            sender_id = confirming_number(sender_id, directory)
    if not sender_id and of_api is not None:
        sender_id = of_api.first
    number = directory.find(sender_id)
    owner = number or of_api
    return Sender(
        sender_id=sender_id,
        number=number,
        keyword=_keyword(row, request, number),
        account=owner.account if owner else directory.default_account,
        api_id=request.api_id or (number.api_id if number else ""),
    )


def _keyword(row: HandsetConsent | None, request: MtRequest, number: Number | None) -> str:
    """The request's keyword, else the handset's last keyword there; empty if it is not ours."""
    if number is None or number.kind != SHARED_SHORT_CODE:
        return ""
    if request.keyword:
        keyword = " ".join(words_of(request.keyword)).upper()
    else:
        uses = row.keyword_uses if row else []
        keyword = next((use.keyword for use in uses if use.code == number.first), "")
    return keyword if keyword in number.keywords else ""


def is_allowed(sender: Sender, directory: Directory) -> bool:
    """Whether the sender is allowed: none at all, a number that may send, or a listed sender ID."""
    if not sender.sender_id or sender.sender_id in directory.sender_ids:
        return sender.number is None or not _never_sends(sender.number)
    number = sender.number
    return number is not None and number.may_send and not _never_sends(number)


def _never_sends(number: Number) -> bool:
    """Whether the number is a premium VMN, which only receives: its MT may loop (G8.5)."""
    return number.premium and number.kind in (VMN, TAGGED_RANGE)


def scopes_of_sender(sender: Sender, row: HandsetConsent | None, directory: Directory) -> list[Key]:
    """The scopes that contain a sender, the narrowest first and the account last."""
    account = account_key(sender.account)
    if not is_digits(sender.sender_id):
        return [account]
    shared = sender.number is not None and sender.number.kind == SHARED_SHORT_CODE
    if shared and not sender.keyword:
        return [account]
    if shared:
        current = keyword_key(sender.sender_id, sender.keyword)
    else:
        current = number_key(directory, sender.sender_id)
    if row is None:
        return [current, account]
    known = {t.key: t for t in row.timelines}
    return scopes_of_number(
        sender.sender_id,
        current,
        account,
        known.keys(),
        stopped_since=lambda there, here: _stopped_since(known[there], known[here]),
    )


def _stopped_since(there: Timeline, here: Timeline) -> bool:
    """Whether `there` has a stop that `here` lacks, and no message re-enabled `here` since."""
    known = {event.arrival for event in here.events}
    other, own = fold(there.events, until=NEVER), fold(here.events, until=NEVER)
    return any(
        side.state != OPEN
        and side.stop.arrival not in known
        and (ours.last_opening is None or ours.last_opening.order < side.stop.order)
        for side, ours in ((other.ours, own.ours), (other.gateway, own.gateway))
    )
