"""What a message costs: the charge of an MO, of an MT, and of the gateway's own confirmation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.credits import MOST_UNITS_AT_ONCE, units_from_text
from pipeline.identity import derived_id
from pipeline.records import AccountCharge, ChargeKind, CommandState, ConsentRule

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.directory.directory import Directory
    from pipeline.records import ConsentChange, MoMessage
    from pipeline.stages.sending.row import SentCommand

#: The gateway has taken it: it costs what its parts cost, until the gateway states the charge.
_TAKEN: Final = (
    CommandState.SUBMITTED.value,
    CommandState.DELIVERED.value,
    CommandState.UNDELIVERED.value,
)


def charge_of_message(
    message: MoMessage, directory: Directory, *, home: int, is_held: bool, now: datetime
) -> AccountCharge:
    """The charge of a message: each part that came, at the price of the number texted.

    Nothing, where its account is off: it waits only behind earlier messages of its handset.
    """
    account = directory.charged_account(message.account)
    price = directory.mo_price_of(message.number, account) if account else 0
    parts = len(message.part_ids)
    return AccountCharge(
        charge_id=message.message_id,
        account=message.account,
        kind=ChargeKind.MO.value,
        number=message.number,
        parts=parts,
        units=parts * price,
        is_stated=False,
        is_held=is_held,
        home=home,
        part_ids=message.part_ids,
        flags=message.flags,
        at=now,
    )


def charge_of_sent(
    sent: SentCommand, directory: Directory, *, home: int, now: datetime
) -> AccountCharge | None:
    """The charge of a command: what the gateway states, else its parts at the sender ID's price.

    None where the account is off, or the gateway has not taken the command.
    """
    account = directory.charged_account(sent.account or directory.account_of(sent.sender_id))
    if account is None:
        return None
    stated = units_from_text(sent.charge) if sent.charge else None
    if stated is not None and stated > MOST_UNITS_AT_ONCE:
        stated = None
    if stated is None and sent.state not in _TAKEN:
        return None
    by_price = sent.parts_total * directory.mt_price_of(sent.sender_id, account)
    return AccountCharge(
        charge_id=sent.command_id,
        account=account.name,
        kind=ChargeKind.MT.value,
        number=sent.sender_id,
        parts=sent.parts_total,
        units=by_price if stated is None else stated,
        is_stated=stated is not None,
        is_held=False,
        home=home,
        part_ids=[],
        flags=[],
        at=now,
    )


def charge_of_change(
    change: ConsentChange, directory: Directory, *, home: int
) -> AccountCharge | None:
    """The charge of a confirmation that the gateway sent itself (G7.1.1): one MT.

    One message may stop several scopes, and is confirmed once: the id is the message's.
    """
    if change.rule != ConsentRule.GATEWAY_CONFIRMED or not change.mo_message_id:
        return None
    account = directory.charged_account(directory.account_of(change.number))
    if account is None:
        return None
    return AccountCharge(
        charge_id=derived_id("gateway-confirmation", change.mo_message_id),
        account=account.name,
        kind=ChargeKind.GATEWAY_CONFIRMATION.value,
        number=change.number,
        parts=1,
        units=directory.mt_price_of(change.number, account),
        is_stated=False,
        is_held=False,
        home=home,
        part_ids=[],
        flags=[],
        at=change.recorded_at,
    )
