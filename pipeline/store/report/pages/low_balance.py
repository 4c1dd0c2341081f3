"""What an operator must know of the accounts now: a low balance, and messages that wait for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pipeline.credits import amount_from_units
from pipeline.store.story.account import asking_accounts
from pipeline.store.story.asking import answered_later

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime
    from typing import Any

    from pipeline.store.story.asking import AnswerRows


class LowBalance(NamedTuple):
    """Words for every page, how many accounts they are about, and the page that shows them."""

    words: str
    count: int
    link: str
    is_urgent: bool


async def low_balance(
    ask: Callable[[str, dict[str, Any]], Awaitable[AnswerRows]], now: datetime
) -> LowBalance | None:
    """The accounts whose balance is low, or that hold messages; None where there are none."""
    found = await answered_later(asking_accounts(now), ask)
    low = [each for each in found if each.is_low or each.held]
    if not low:
        return None
    held = sum(each.held for each in low)
    first = low[0]
    words = f"the balance of {first.account} is {amount_from_units(first.balance_units)} credits"
    if len(low) > 1:
        words = f"{len(low)} accounts have a low balance, {first.account} the first"
    if held:
        words += f"; {held:,} {'message waits' if held == 1 else 'messages wait'} for credits"
    return LowBalance(words=words, count=len(low), link="accounts", is_urgent=bool(held))
