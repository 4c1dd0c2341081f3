"""How far a log was read, and how it is recognised by its octets under any name."""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b
from typing import Final

import msgspec

LOG_HEAD_OCTETS: Final = 4 * 1024
WINDOW_OCTETS: Final = 64 * 1024


class LogHead(msgspec.Struct, frozen=True):
    """The beginning of a log, up to the end of its first line that is not blank, at most 4 KiB."""

    length: int
    digest: str


class LogMark(msgspec.Struct, frozen=True):
    """A position in a log, and the digest of the 64 KiB before it (or of all, if it is less).

    `last_time` is the time of the last line before the position whose time can be read.
    """

    position: int
    digest: str
    is_inside_overlong: bool = False
    last_time: datetime | None = None


class LogBatch(msgspec.Struct, frozen=True):
    """A batch that is being published: the lines that end before `until`, received at `at`.

    Published again after a crash, the batch has the same records, octet for octet.
    """

    until: int
    at: datetime


class LogPlace(msgspec.Struct, frozen=True, kw_only=True):
    """How far one log was read. `name` is its last known name; the newest mark is the last."""

    name: str
    head: LogHead | None = None
    marks: tuple[LogMark, ...] = ()
    batch: LogBatch | None = None
    quiet_polls: int = 0

    @property
    def position(self) -> int:
        """The offset of the first octet that is not known to be in Kafka."""
        return self.marks[-1].position if self.marks else 0

    @property
    def window_start(self) -> int:
        """Where the octets begin that identify the position."""
        return max(0, self.position - WINDOW_OCTETS)

    def is_known_by(self, octets: bytes) -> bool:
        """Whether `octets`, which begin at `window_start`, belong to this log."""
        if self.marks:
            window = octets[: self.position - self.window_start]
            return digest_of(window) == self.marks[-1].digest
        return self.head is None or is_head_of(self.head, octets)

    @property
    def needed_octets(self) -> int:
        """How many octets `is_known_by` needs."""
        if self.marks:
            return self.position - self.window_start
        return self.head.length if self.head else 0


def digest_of(octets: bytes) -> str:
    """A digest of 128 bits, in hex."""
    return blake2b(octets, digest_size=16).hexdigest()


def head_of(octets: bytes) -> LogHead | None:
    """The head of a log that begins with `octets`; None while its first line is incomplete."""
    blank = len(octets) - len(octets.lstrip())
    length = octets.find(b"\n", blank, LOG_HEAD_OCTETS) + 1
    if not length and len(octets) < LOG_HEAD_OCTETS:
        return None
    length = length or LOG_HEAD_OCTETS
    return LogHead(length, digest_of(octets[:length]))


def is_head_of(head: LogHead, octets: bytes) -> bool:
    """Whether `octets` begin with `head`."""
    return len(octets) >= head.length and digest_of(octets[: head.length]) == head.digest


def moved(place: LogPlace, mark: LogMark) -> LogPlace:
    """The place, moved forward to `mark`."""
    return msgspec.structs.replace(place, marks=thinned((*place.marks, mark)), batch=None)


def moved_back(place: LogPlace, mark: LogMark) -> LogPlace:
    """The place, moved back to `mark`, which is one of its marks."""
    marks = tuple(each for each in place.marks if each.position <= mark.position)
    return msgspec.structs.replace(place, marks=marks, batch=None)


def thinned(marks: tuple[LogMark, ...]) -> tuple[LogMark, ...]:
    """The newest mark, and older marks with growing distances between them.

    So even a long log has few marks. If a log is cut, the distance from the cut back to the next
    mark is not larger than the part that was cut off.
    """
    *older, newest = marks
    older = [mark for mark in older if not mark.is_inside_overlong]
    kept = [newest]
    for index in range(len(older) - 1, -1, -1):
        gap = kept[-1].position - (older[index - 1].position if index else 0)
        if gap > newest.position - kept[-1].position:
            kept.append(older[index])
    return tuple(reversed(kept))
