"""The tables of the agent `accounts`."""

from __future__ import annotations

from typing import Final

ACCOUNT_ROWS: Final = "accounts"
WAITING_ROWS: Final = "waiting"
BOOKED_ROWS: Final = "booked"
CREDIT_ROWS: Final = "credits"
LISTED_NUMBERS: Final = "directory"
#: The order is the tables' numbers in the changelog: append only.
ACCOUNT_TABLES: Final = (
    ACCOUNT_ROWS,
    WAITING_ROWS,
    BOOKED_ROWS,
    CREDIT_ROWS,
    LISTED_NUMBERS,
)
