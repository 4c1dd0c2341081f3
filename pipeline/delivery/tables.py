"""The tables of the agent `delivery`."""

from __future__ import annotations

from typing import Final

DELIVERIES: Final = "deliveries"
ORDERS: Final = "orders"
WAITING: Final = "waiting"
BEHIND: Final = "behind"
COMMANDS: Final = "commands"
FORGETTING: Final = "forgetting"
PATHS: Final = "paths"
NUMBERS_LOADED: Final = "directory"
#: The order is the tables' numbers in the changelog: append only.
TABLES: Final = (
    DELIVERIES,
    ORDERS,
    WAITING,
    BEHIND,
    COMMANDS,
    FORGETTING,
    PATHS,
    NUMBERS_LOADED,
)
