"""What each column of the views of accounts means."""

from __future__ import annotations

from typing import Final

_UNITS: Final = "in 1/3,000,000 credit; exact, also in sums"
_ROUNDED: Final = "in credits, rounded to six decimals; a third is exact in units alone"

ACCOUNT_LEDGER: Final = {
    "entry_id": "The entry.",
    "account": "The account.",
    "sequence": "Number of the entry in its account: 1, 2, 3, without a gap.",
    "kind": "`credit`, `mo`, `mt`, `mt-correction`, `gateway-confirmation` or `correction`.",
    "units": f"The amount, {_UNITS}: credits above zero, costs below.",
    "credits": f"The amount, {_ROUNDED}.",
    "balance_units": f"The balance after the entry, {_UNITS}.",
    "balance_credits": f"The balance after the entry, {_ROUNDED}.",
    "reference": "`charge_id` or `credit_id` of what led to it.",
    "number": "MO: the number texted. MT: the sender ID. Empty for a credit.",
    "parts": "How many parts were charged; 0 for a credit.",
    "charged_at": "When the charge or the credit was made. UTC.",
    "at": "When it was booked; later than `charged_at` for a message that was held. UTC.",
    "actor": "Who ordered a credit or a correction.",
    "reason": "Why, as the order has it.",
}
ACCOUNT_MONTH: Final = {
    "account": "The account.",
    "month": "The first day of the month in which it was booked, in UTC.",
    "kind": "The kind of the entries.",
    "entries": "How many there are.",
    "parts": "How many parts were charged.",
    "units": f"Their sum, {_UNITS}.",
    "credits": f"Their sum, {_ROUNDED}.",
}
ACCOUNT_HELD: Final = {
    "charge_id": "The charge; `message_id` of the message that waits for credits.",
    "account": "The account.",
    "number": "The number texted.",
    "parts": "How many parts are charged.",
    "units": f"The cost, {_UNITS}.",
    "credits": f"The cost, {_ROUNDED}.",
    "flags": "What is odd about the message, such as `review`.",
    "part_ids": "Ids of its parts, as in `mo_part`.",
    "at": "When it was charged. UTC.",
}
ACCOUNT_NOW: Final = {
    "account": "The account.",
    "balance_units": f"The balance, {_UNITS}.",
    "balance_credits": f"The balance, {_ROUNDED}.",
    "entries": "How many entries its ledger has.",
    "booked_at": "When the last one was booked. UTC.",
    "held": "How many messages wait for credits.",
    "held_units": f"What they cost, {_UNITS}.",
    "held_credits": f"What they cost, {_ROUNDED}.",
    "oldest_held_at": "When the oldest of them was charged. UTC.",
}
#: Each view of accounts.
ACCOUNT_VIEWS: Final = {
    "account_ledger": ACCOUNT_LEDGER,
    "account_month": ACCOUNT_MONTH,
    "account_held": ACCOUNT_HELD,
    "account_now": ACCOUNT_NOW,
}
