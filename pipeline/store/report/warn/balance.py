"""A balance that is low, and messages that wait for credits (G9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.credits import amount_from_units
from pipeline.store.report.warn.warning import OperatorWarning, counted
from pipeline.store.story.account import asking_accounts
from pipeline.store.story.asking import answered_later

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.store.report.warn.warning import AskRows

LOW_BALANCE: Final = "low-balance"


async def low_balance(ask: AskRows, now: datetime) -> OperatorWarning | None:
    """The accounts whose balance is below `notify_below`, or that hold messages."""
    found = await answered_later(asking_accounts(now), ask)
    low = [each for each in found if each.is_low or each.held]
    if not low:
        return None
    held = sum(each.held for each in low)
    if len(low) == 1:
        balance = amount_from_units(low[0].balance_units)
        words = f"The balance of {low[0].account} is {balance} credits"
    else:
        words = f"{len(low)} accounts have a low balance, {low[0].account} the first"
    if held:
        words += f"; {counted(held, 'message waits', 'messages wait')} for credits"
    return OperatorWarning(
        name=LOW_BALANCE, words=words, count=len(low), link="accounts", is_urgent=bool(held)
    )
