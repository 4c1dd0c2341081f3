"""Finds the rows that ClickHouse refuses because of their values, by halving a block.

Each half has a token made of the block's token and the half's place in the block. The same block is
always halved in the same way, so a half that was inserted before adds nothing.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, Protocol

from clickhouse_connect.driver.exceptions import DatabaseError, DataError, OperationalError

from pipeline.process.log_guard import words_for_log
from pipeline.store.decoding import TableRows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.store.rows import Row

#: ClickHouse's error codes about a value (src/Common/ErrorCodes.cpp): CANNOT_PARSE_TEXT,
#: CANNOT_PARSE_QUOTED_STRING, CANNOT_PARSE_INPUT_ASSERTION_FAILED, CANNOT_PARSE_DATETIME,
#: TYPE_MISMATCH, ARGUMENT_OUT_OF_BOUND, CANNOT_CONVERT_TYPE, CANNOT_PARSE_NUMBER, INCORRECT_DATA,
#: TOO_LARGE_ARRAY_SIZE, TOO_LARGE_STRING_SIZE, VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE,
#: CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN, DECIMAL_OVERFLOW, VIOLATED_CONSTRAINT,
#: UNKNOWN_ELEMENT_OF_ENUM.
_OF_A_VALUE: Final = frozenset(
    {6, 26, 27, 41, 53, 69, 70, 72, 117, 128, 131, 321, 349, 407, 469, 691}
)


class LettersRefused(OperationalError):
    """ClickHouse refuses what has a place in any table of dead letters: it is not as it should be.

    A row of nobody's is never passed over for it: the block is tried again.
    """


class Insert(Protocol):
    """Inserts rows under a token; raises the error of ClickHouse or of the driver."""

    async def __call__(self, rows: TableRows, *, tag: str) -> None: ...


def is_about_a_value(error: BaseException) -> bool:
    """Whether the error is about a value in the rows, and not about the state of ClickHouse."""
    if isinstance(error, OperationalError):
        return False
    if isinstance(error, DatabaseError) and not isinstance(error, DataError):
        return getattr(error, "code", None) in _OF_A_VALUE
    # The driver encodes a block itself, and raises these for a value that it cannot encode.
    values = (DataError, struct.error, OverflowError, TypeError, ValueError, AttributeError)
    return isinstance(error, values)


async def insert_all_but_refused(
    rows: TableRows, *, tag: str, insert: Insert
) -> list[tuple[Row, BaseException]]:
    """Insert the rows; returns each row that is refused even alone, with its error."""
    try:
        await insert(rows, tag=tag)
    except Exception as error:
        if not is_about_a_value(error):
            raise
        if len(rows.rows) == 1:
            return [(rows.rows[0], error)]
    else:
        return []
    refused = []
    middle = len(rows.rows) // 2
    for side, part in (("l", rows.rows[:middle]), ("r", rows.rows[middle:])):
        piece = _piece(rows, part)
        refused += await insert_all_but_refused(piece, tag=f"{tag}{side}", insert=insert)
    return refused


async def insert_letters(rows: TableRows, *, tag: str, insert: Insert) -> None:
    """Insert dead letters; raises `LettersRefused` when one of them is refused."""
    try:
        await insert(rows, tag=tag)
    except Exception as error:
        if not is_about_a_value(error):
            raise
        words = words_for_log(error)
        raise LettersRefused(f"dead letters are refused: {words}") from error


def _piece(rows: TableRows, part: Sequence[Row]) -> TableRows:
    return TableRows(rows.table, rows.columns, part)
