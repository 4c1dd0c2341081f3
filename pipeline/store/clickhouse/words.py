"""What ClickHouse says of an error, cut and masked: it may quote a row, with numbers and texts."""

from __future__ import annotations

import re
from typing import Final

LONGEST: Final = 300  # characters
_READ: Final = 4_096  # characters looked at
_DIGITS: Final = re.compile(r"[0-9]{7,}+")


def words_of_error(error: BaseException, *, limit: int = LONGEST) -> str:
    """One line of at most `limit` characters; seven digits or more in a row are masked."""
    words = str(error)[:_READ]
    visible = "".join(character if character.isprintable() else " " for character in words)
    masked = _DIGITS.sub("\N{HORIZONTAL ELLIPSIS}", " ".join(visible.split()))
    return masked if len(masked) <= limit else masked[: limit - 1] + "\N{HORIZONTAL ELLIPSIS}"
