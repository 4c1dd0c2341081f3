"""The tables of the agent `delivery`."""

from __future__ import annotations

from typing import Final

DELIVERY_ROWS: Final = "deliveries"
ORDER_ROWS: Final = "orders"
PLACE_ROWS: Final = "waiting"
BEHIND_ROWS: Final = "behind"
COMMAND_ROWS: Final = "commands"
FORGET_ROWS: Final = "forgetting"
PATH_ROWS: Final = "paths"
DIRECTORY_ROW: Final = "directory"
#: The order is the tables' numbers in the changelog: append only.
DELIVERY_TABLES: Final = (
    DELIVERY_ROWS,
    ORDER_ROWS,
    PLACE_ROWS,
    BEHIND_ROWS,
    COMMAND_ROWS,
    FORGET_ROWS,
    PATH_ROWS,
    DIRECTORY_ROW,
)
