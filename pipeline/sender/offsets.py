"""The offset of a partition's first command that is not done; a restart begins there."""

from __future__ import annotations

from collections import deque


class LowWater:
    """Offsets that are taken in order and finished in any order."""

    def __init__(self) -> None:
        self._taken: deque[int] = deque()
        self._done: set[int] = set()
        self._next = -1

    def take(self, offset: int) -> None:
        """Take an offset; offsets come in ascending order."""
        self._taken.append(offset)
        self._next = offset + 1

    def finish(self, offset: int) -> None:
        """Note that the command at an offset is done."""
        self._done.add(offset)
        while self._taken and self._taken[0] in self._done:
            self._done.discard(self._taken.popleft())

    @property
    def open(self) -> int:
        """The number of offsets at or above the mark that were taken."""
        return len(self._taken)

    @property
    def mark(self) -> int | None:
        """The offset to continue from; None if no offset was taken."""
        if self._taken:
            return self._taken[0]
        return self._next if self._next >= 0 else None
