"""Follows a log from poll to poll, through rotation and renaming: nothing lost, nothing twice."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import msgspec

from ingest.ftp import metrics
from ingest.ftp.files import Files, first_octets, other_logs, resumed, siblings
from ingest.ftp.places import LogHead, LogPlace, head_of, moved_back
from ingest.ftp.reading import LogReading, Publish

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ingest.ftp.followed import Logs

log = logging.getLogger("twoway.ftp")

#: A rotated log is read until it brought nothing in so many polls: its writer may hold it open.
QUIET_POLLS: Final = 10
#: A log that is shorter than it was may be on its way back whole: so many polls while it grows.
RESENT_POLLS: Final = 10


class Follower:
    """Reads the log called `name` on, and those that were called so before; `where` it is."""

    def __init__(
        self, name: str, logs: Logs, *, where: str, publish: Publish, now: Callable[[], datetime]
    ) -> None:
        self._name = name
        self._where = where
        self._logs = logs
        self._publish = publish
        self._now = now
        self._listing: object = None
        self._resent = (-1, 0)  # how long the log was at the last poll, and for how many it grew

    def poll(self, files: Files) -> None:
        """Read all there is; raises `Trouble` or `DiskTrouble`, and keeps what was read."""
        logs = self._logs
        logs.catch_up()
        if logs.checkpoint.log != self._where:
            self._compare(files)
        if not logs.checkpoint.places:  # what lies beside the log at the first poll is not ours
            self._listing = files.listing()
            logs.begin(LogPlace(name=self._name), known=other_logs(files, self._name))
        for place in logs.old:
            self._follow_old(files, place)
        is_new = logs.current.head is None
        if is_new and files.listing() != self._listing:
            self._insert_unseen(files)
        size = files.size(self._name)
        metrics.LAG.set(max(0, size - logs.current.position) if size is not None else 0)
        if self._read(files, self._name, logs.current):
            self._resent = (-1, 0)
        else:
            self._look_again(files)
        if is_new and logs.current.head is not None:
            self._insert_unseen(files)  # one may have been rotated just before the first line came

    def _compare(self, files: Files) -> None:
        """The checkpoint names another log: it may be the same, reached another way."""
        before, places = self._logs.checkpoint.log, self._logs.checkpoint.places
        is_same = False
        if places and places[-1].marks:
            with resumed(files, self._name, places[-1]) as found:
                is_same = found is not None
        how = "it has the same octets and is read on" if is_same else "it is read from its start"
        log.warning("the checkpoint is of %s, the log is %s: %s", before, self._where, how)
        self._logs.belong(self._where, is_same=is_same)

    def _read(
        self, files: Files, name: str, place: LogPlace, *, is_last: bool = False
    ) -> LogPlace | None:
        """Read the log of `place` on where it is called `name`; None when it is another."""
        with resumed(files, name, place) as found:
            if found is None:
                return None
            window, blocks = found
            save = self._logs.saver(place)
            reading = LogReading(
                msgspec.structs.replace(place, name=name),
                window=window,
                publish=self._publish,
                save=save,
                now=self._now,
            )
            has_grown = reading.read(blocks, is_last=is_last)
        is_current = name == self._name
        if is_current:
            metrics.LAG.set(reading.pending)
        quiet = 0 if has_grown or is_current else place.quiet_polls + 1
        after = msgspec.structs.replace(reading.place, quiet_polls=quiet)
        if after != (reading.place if has_grown else place):
            save(after)
        return after

    def _follow_old(self, files: Files, place: LogPlace) -> None:
        """Read a rotated log on; let it go when it has been quiet, or is there no more."""
        is_last = place.quiet_polls + 1 >= QUIET_POLLS
        after = self._find(files, place, is_last=is_last)
        if after is None:
            if place.quiet_polls == 0:
                self._say_rest_is_missing(place)
            self._logs.follow_no_more(place)
        elif after.quiet_polls >= QUIET_POLLS:
            self._logs.follow_no_more(after)

    def _find(self, files: Files, place: LogPlace, *, is_last: bool = False) -> LogPlace | None:
        """Read a log on wherever it is, but for where the log is written; None: nowhere."""
        if place.head is None:
            return None
        names = siblings(files, self._name)
        names.sort(key=lambda name: name != place.name)
        for name in names:
            size = files.size(name)
            if size is not None and size < place.position:
                continue
            after = self._read(files, name, place, is_last=is_last)
            if after is not None:
                return after
        return None

    def _look_again(self, files: Files) -> None:
        """The log that was read is not there: rotated, cut short, on its way back, or away."""
        place = self._logs.current
        head = head_of(first_octets(files, self._name))
        if head is not None and head == place.head and self._resume_same(files, place):
            return
        after = self._find(files, place)
        if head is None and files.listing() == self._listing:
            return
        unseen, known = self._unseen(files)
        if head is None and not unseen:
            return  # a new one has no line yet
        if after is None and place.head is not None:
            self._say_rest_is_missing(place)
        log.info("the log was rotated: a new one begins")
        metrics.LOGS.labels("rotated").inc()
        new = LogPlace(name=self._name, head=head)
        self._logs.begin_new(new, unseen=unseen, known=known)
        if after is None:
            self._logs.follow_no_more(place)
        self._read_unseen(files, unseen)
        self._read(files, self._name, self._logs.current)

    def _resume_same(self, files: Files, place: LogPlace) -> bool:
        """Go on in a log that begins as it did and differs where we are; False: we cannot.

        It is shorter, was written anew from some point on, or the server ignores REST.
        """
        size = files.size(self._name)
        if size is not None and size < place.position:
            last, polls = self._resent
            if size != last and polls < RESENT_POLLS:
                self._resent = (size, polls + 1)
                return True
        elif place.window_start and not files.skips:
            files.skips = True
            if self._read(files, self._name, place) is not None:
                log.warning("the server takes REST and ignores it: the log is read from its start")
                return True
            files.skips = False
        self._resent = (-1, 0)
        return any(self._cut(files, place, moved_back(place, mark)) for mark in place.marks[-2::-1])

    def _cut(self, files: Files, place: LogPlace, earlier: LogPlace) -> bool:
        """Go on at `earlier`, when the log is the same up to there."""
        with resumed(files, self._name, earlier) as found:
            if found is None:
                return False
        log.warning(
            "the log was cut: it is read on from octet %d of %d", earlier.position, place.position
        )
        metrics.LOGS.labels("cut").inc()
        self._logs.replace(place, earlier)
        return self._read(files, self._name, earlier) is not None

    def _unseen(self, files: Files) -> tuple[list[LogPlace], list[LogHead]]:
        """Logs that came and were rotated between two polls, oldest first; and all there are."""
        self._listing = files.listing()
        found = other_logs(files, self._name)
        by_first_line = sorted(found.items(), key=lambda item: item[1])
        unseen = [
            LogPlace(name=name, head=head)
            for head, (_, name) in by_first_line
            if not self._logs.is_seen(head)
        ]
        return unseen, list(found)

    def _insert_unseen(self, files: Files) -> None:
        """They go before the log that is written now."""
        unseen, known = self._unseen(files)
        self._logs.begin_older(unseen, known=known)
        self._read_unseen(files, unseen)

    def _read_unseen(self, files: Files, unseen: list[LogPlace]) -> None:
        for place in unseen:
            log.info("%s was rotated before it was seen, and is read whole", place.name)
            metrics.LOGS.labels("unseen").inc()
            self._follow_old(files, place)

    def _say_rest_is_missing(self, place: LogPlace) -> None:
        metrics.LOGS.labels("rest-missing").inc()
        log.error(
            "the log was rotated and is not found in its folder: what came after octet %d is"
            " missing. `twoway import` it once you have it: what came before changes nothing",
            place.position,
        )
