"""How far a log was read, and how it is known again: by its octets, whatever it is called now."""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b
from typing import Final

import msgspec

LOG_HEAD_OCTETS: Final = 4 * 1024
WINDOW_OCTETS: Final = 64 * 1024


class LogHead(msgspec.Struct, frozen=True):
    """How a log begins, up to the end of its first line that is not blank; 4 KiB at most."""

    length: int
    digest: str


class LogMark(msgspec.Struct, frozen=True):
    """A position in a log, and the digest of the 64 KiB before it (of all there is, if less).

    `last_time` is the time of the last line before it whose time can be read.
    """

    position: int
    digest: str
    is_inside_overlong: bool = False
    last_time: datetime | None = None


class LogBatch(msgspec.Struct, frozen=True):
    """What is on its way to Kafka: the lines that end before `until`, received at `at`.

    Published again after a crash it consists of the same records, octet for octet.
    """

    until: int
    at: datetime


class LogPlace(msgspec.Struct, frozen=True, kw_only=True):
    """How far one log was read. `name` is what it was called last; `marks` end with the newest."""

    name: str
    head: LogHead | None = None
    marks: tuple[LogMark, ...] = ()
    batch: LogBatch | None = None
    quiet_polls: int = 0

    @property
    def position(self) -> int:
        """The first octet that is not known to be in Kafka."""
        return self.marks[-1].position if self.marks else 0

    @property
    def window_start(self) -> int:
        """Where the octets begin by which the position is known."""
        return max(0, self.position - WINDOW_OCTETS)

    def is_known_by(self, octets: bytes) -> bool:
        """Whether `octets`, from `window_start` on, are those of this log."""
        if self.marks:
            window = octets[: self.position - self.window_start]
            return digest_of(window) == self.marks[-1].digest
        return self.head is None or is_head_of(self.head, octets)

    @property
    def needed_octets(self) -> int:
        """How many octets `is_known_by` asks for."""
        if self.marks:
            return self.position - self.window_start
        return self.head.length if self.head else 0


def digest_of(octets: bytes) -> str:
    """128 bits, in hex."""
    return blake2b(octets, digest_size=16).hexdigest()


def head_of(octets: bytes) -> LogHead | None:
    """The head of a log that begins with `octets`; None while its first line has no end."""
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
    """The place at `mark`, which lies further on."""
    return msgspec.structs.replace(place, marks=thinned((*place.marks, mark)), batch=None)


def moved_back(place: LogPlace, mark: LogMark) -> LogPlace:
    """The place at `mark`, one of its own."""
    marks = tuple(each for each in place.marks if each.position <= mark.position)
    return msgspec.structs.replace(place, marks=marks, batch=None)


def thinned(marks: tuple[LogMark, ...]) -> tuple[LogMark, ...]:
    """The newest mark, and of the older ones those that lie ever further apart.

    However long a log is they are few; of a log that is cut, no more than was cut off lies between
    the cut and the mark before it.
    """
    *older, newest = marks
    older = [mark for mark in older if not mark.is_inside_overlong]
    kept = [newest]
    for index in range(len(older) - 1, -1, -1):
        gap = kept[-1].position - (older[index - 1].position if index else 0)
        if gap > newest.position - kept[-1].position:
            kept.append(older[index])
    return tuple(reversed(kept))
