"""Finds a time for a line of mo.log whose own time cannot be read: a readable neighbour's time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.wire.mo_log import Overlong, time_of_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime


class LineTimes:
    """Follows the lines of one log, and remembers the time of the last readable line in `last`.

    The time for a line depends only on the octets before the line (for the first lines, on the
    octets up to the first readable line). So reading a log again gives the same times.
    """

    def __init__(self, last: datetime | None = None) -> None:
        self.last = last

    def beside(
        self, lines: Sequence[bytes | Overlong]
    ) -> Iterator[tuple[bytes | Overlong, datetime | None]]:
        """Each line, and the time of a neighbour if its own time cannot be read, else None.

        None also if no line before or among `lines` has a readable time.
        """
        times = [None if isinstance(line, Overlong) else time_of_line(line) for line in lines]
        last = self.last or next((time for time in times if time is not None), None)
        for line, time in zip(lines, times, strict=True):
            yield line, last if time is None else None
            last = time or last
        self.last = last

    def knows_a_time(self, lines: Sequence[bytes | Overlong]) -> bool:
        """Whether a line before or among `lines` has a readable time."""
        return self.last is not None or any(
            not isinstance(line, Overlong) and time_of_line(line) is not None for line in lines
        )
