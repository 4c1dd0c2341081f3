"""Makes an MT command with all fields that the sender and the reports need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.directory.directory import SHARED_SHORT_CODE, SHORT_CODE, Directory
from pipeline.identity import derived_id
from pipeline.records import MtCommand, Purpose, Scope
from pipeline.sms.msisdn import is_digits
from pipeline.sms.segmentation import segment
from pipeline.sms.sender_id import SenderKind, may_be_answered, outcome_of_sender_id

if TYPE_CHECKING:
    from datetime import datetime


def kind_of_sender(sender: str, directory: Directory) -> SenderKind:
    """The kind of a sender ID, as the table of G8.2 has it; `NONE` for an empty sender ID."""
    if not sender:
        return SenderKind.NONE
    if not is_digits(sender):
        return SenderKind.ALPHA
    number = directory.find(sender)
    if number is None:
        return SenderKind.NUMERIC
    return (
        SenderKind.SHORT_CODE if number.kind in (SHORT_CODE, SHARED_SHORT_CODE) else SenderKind.VMN
    )


def command_id_of(request_id: str, handset: str) -> str:
    """The id of the only command that a request can become."""
    return derived_id("mt-command", request_id, handset)


def make_command(
    *,
    request_id: str,
    purpose: Purpose,
    sender: str,
    handset: str,
    text: str,
    at: datetime,
    not_after: datetime,
    scopes: list[Scope],
    directory: Directory,
    api_id: str = "",
    account: str = "",
    keyword: str = "",
    message_id: str = "",
) -> MtCommand:
    """The command to send `text`; api_id and account default to the sender's."""
    number = directory.find(sender) if sender else None
    kind = kind_of_sender(sender, directory)
    mo = may_be_answered(kind)
    outcome = outcome_of_sender_id(kind, mo=mo)
    segmentation = segment(text)
    return MtCommand(
        command_id=command_id_of(request_id, handset),
        request_id=request_id,
        purpose=purpose.value,
        sender_id=sender,
        handset=handset,
        text=text,
        mo=mo,
        reply_expected=outcome.reply_possible,
        reply_note=outcome.words,
        at=at,
        not_after=not_after,
        scopes=scopes,
        api_id=api_id or (number.api_id if number else ""),
        account=account or (number.account if number else directory.default_account),
        keyword=keyword,
        encoding=segmentation.encoding,
        parts=segmentation.parts,
        mo_message_id=message_id,
    )
