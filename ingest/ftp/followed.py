"""The places of a checkpoint. Every change is written to disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ingest.ftp.checkpoint import Checkpoint
    from ingest.ftp.places import LogHead, LogPlace


class Logs:
    """The logs that are followed, oldest first. The last is the log that the gateway writes now.

    If a change cannot be written, it stays in memory, and is written before anything else is read.
    """

    def __init__(self, checkpoint: Checkpoint, *, write: Callable[[Checkpoint], None]) -> None:
        self.checkpoint = checkpoint
        self._write = write
        self._is_written = True

    @property
    def current(self) -> LogPlace:
        """The log that the gateway writes now."""
        return self.checkpoint.places[-1]

    @property
    def old(self) -> tuple[LogPlace, ...]:
        """The rotated logs that are still read."""
        return self.checkpoint.places[:-1]

    def is_seen(self, head: LogHead) -> bool:
        """Whether a log with this head is followed, was read, or was there before the poller."""
        followed = (place.head for place in self.checkpoint.places)
        return head in self.checkpoint.known or head in followed

    def catch_up(self) -> None:
        """Write a change that could not be written before; raises `DiskTrouble`."""
        if not self._is_written:
            self._put(self.checkpoint)

    def replace(self, before: LogPlace, after: LogPlace) -> None:
        """Replace the place of a log by another place of the same log."""
        places = tuple(after if each == before else each for each in self.checkpoint.places)
        self._put(msgspec.structs.replace(self.checkpoint, places=places))

    def saver(self, place: LogPlace) -> Callable[[LogPlace], None]:
        """A function that stores each next place of one log."""
        last = place

        def save(moved: LogPlace) -> None:
            nonlocal last
            before, last = last, moved
            self.replace(before, moved)

        return save

    def follow_no_more(self, place: LogPlace) -> None:
        """Stop following a log; it stays known, and is not read again."""
        places = tuple(each for each in self.checkpoint.places if each != place)
        known = self.checkpoint.known
        if place.head and place.head not in known:
            known = (*known, place.head)
        self._put(msgspec.structs.replace(self.checkpoint, places=places, known=known))

    def begin(self, place: LogPlace, *, known: Iterable[LogHead]) -> None:
        """Follow the first log; `known` are the logs beside it, which are not read."""
        self._put(msgspec.structs.replace(self.checkpoint, places=(place,), known=tuple(known)))

    def begin_new(
        self, place: LogPlace, *, unseen: Iterable[LogPlace], known: Iterable[LogHead]
    ) -> None:
        """Follow a new log; `unseen` logs were written before it, `known` lie beside it."""
        places = (*self.checkpoint.places, *unseen, place)
        self._put(msgspec.structs.replace(self.checkpoint, places=places, known=tuple(known)))

    def begin_older(self, unseen: Iterable[LogPlace], *, known: Iterable[LogHead]) -> None:
        """As `begin_new`, but the log that is written now is the same."""
        places = (*self.old, *unseen, self.current)
        self._put(msgspec.structs.replace(self.checkpoint, places=places, known=tuple(known)))

    def belong(self, where: str, *, is_same: bool) -> None:
        """Set the address of the log; if it is not the same log, drop all places."""
        places, known = self.checkpoint.places, self.checkpoint.known
        kept = {"places": places, "known": known} if is_same else {"places": (), "known": ()}
        self._put(msgspec.structs.replace(self.checkpoint, log=where, **kept))

    def _put(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self._is_written = False
        self._write(checkpoint)
        self._is_written = True
