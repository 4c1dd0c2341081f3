"""The time that stands for an unreadable one in mo.log: that of a readable line beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.wire.mo_log import Overlong, time_of_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime


class LineTimes:
    """Goes with the lines of one log, from place to place.

    `last` is the time of the last readable line so far. What it says of a line follows from the
    octets before it (for the first lines, up to the first readable one), so that a log that is read
    again says the same.
    """

    def __init__(self, last: datetime | None = None) -> None:
        self.last = last

    def beside(
        self, lines: Sequence[bytes | Overlong]
    ) -> Iterator[tuple[bytes | Overlong, datetime | None]]:
        """Each line, with a neighbour's time where it has none itself; None: nobody has one."""
        times = [None if isinstance(line, Overlong) else time_of_line(line) for line in lines]
        last = self.last or next((time for time in times if time is not None), None)
        for line, time in zip(lines, times, strict=True):
            yield line, last if time is None else None
            last = time or last
        self.last = last

    def knows_a_time(self, lines: Sequence[bytes | Overlong]) -> bool:
        """Whether a line among these, or before them, has a readable time."""
        return self.last is not None or any(
            not isinstance(line, Overlong) and time_of_line(line) is not None for line in lines
        )
