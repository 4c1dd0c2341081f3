"""The places of a checkpoint as they move, each move kept on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ingest.ftp.checkpoint import Checkpoint
    from ingest.ftp.places import LogHead, LogPlace


class Logs:
    """The logs that are followed, oldest first; the last is the one that is written now.

    What was put down and could not be written stays in force here, and is written before anything
    else is read.
    """

    def __init__(self, checkpoint: Checkpoint, *, write: Callable[[Checkpoint], None]) -> None:
        self.checkpoint = checkpoint
        self._write = write
        self._is_written = True

    @property
    def current(self) -> LogPlace:
        """The log that is written now."""
        return self.checkpoint.places[-1]

    @property
    def old(self) -> tuple[LogPlace, ...]:
        """The rotated ones that are still read."""
        return self.checkpoint.places[:-1]

    def is_seen(self, head: LogHead) -> bool:
        """Whether a log that begins so is followed, was read, or was there before us."""
        followed = (place.head for place in self.checkpoint.places)
        return head in self.checkpoint.known or head in followed

    def catch_up(self) -> None:
        """Write what could not be written before; raises `DiskTrouble`."""
        if not self._is_written:
            self._put(self.checkpoint)

    def replace(self, before: LogPlace, after: LogPlace) -> None:
        """Another place of the same log."""
        places = tuple(after if each == before else each for each in self.checkpoint.places)
        self._put(msgspec.structs.replace(self.checkpoint, places=places))

    def saver(self, place: LogPlace) -> Callable[[LogPlace], None]:
        """What keeps the places of one log, one after the other."""
        last = place

        def save(moved: LogPlace) -> None:
            nonlocal last
            before, last = last, moved
            self.replace(before, moved)

        return save

    def follow_no_more(self, place: LogPlace) -> None:
        """Follow it no more; should it be seen again it is known."""
        places = tuple(each for each in self.checkpoint.places if each != place)
        known = self.checkpoint.known
        if place.head and place.head not in known:
            known = (*known, place.head)
        self._put(msgspec.structs.replace(self.checkpoint, places=places, known=known))

    def begin(self, place: LogPlace, *, known: Iterable[LogHead]) -> None:
        """The first log of all, and what lies beside it."""
        self._put(msgspec.structs.replace(self.checkpoint, places=(place,), known=tuple(known)))

    def begin_new(
        self, place: LogPlace, *, unseen: Iterable[LogPlace], known: Iterable[LogHead]
    ) -> None:
        """A new log is written now; `unseen` were before it, and `known` lies beside it."""
        places = (*self.checkpoint.places, *unseen, place)
        self._put(msgspec.structs.replace(self.checkpoint, places=places, known=tuple(known)))

    def begin_older(self, unseen: Iterable[LogPlace], *, known: Iterable[LogHead]) -> None:
        """As `begin_new`, but the log that is written now is the same."""
        places = (*self.old, *unseen, self.current)
        self._put(msgspec.structs.replace(self.checkpoint, places=places, known=tuple(known)))

    def belong(self, where: str, *, is_same: bool) -> None:
        """The checkpoint is of the log there; unless it is the same log, of none of it yet."""
        places, known = self.checkpoint.places, self.checkpoint.known
        kept = {"places": places, "known": known} if is_same else {"places": (), "known": ()}
        self._put(msgspec.structs.replace(self.checkpoint, log=where, **kept))

    def _put(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self._is_written = False
        self._write(checkpoint)
        self._is_written = True
