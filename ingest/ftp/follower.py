"""Follows a log through rotation and renaming, and reads every line of it once."""

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

#: A rotated log is read until it brought nothing in this many polls, because the gateway may still
#: write to it.
QUIET_POLLS: Final = 10
#: If a log has become shorter, it may be being sent again. So wait this many polls while it grows.
RESENT_POLLS: Final = 10


class Follower:
    """Reads new lines of the log `name`, and of logs that had this name before.

    `where` is the address of the log.
    """

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
        """Read all new lines; raises `Trouble` or `DiskTrouble`. Lines read before count."""
        logs = self._logs
        logs.catch_up()
        if logs.checkpoint.log != self._where:
            self._compare(files)
        if not logs.checkpoint.places:  # the first poll: files beside the log are not read
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
            self._insert_unseen(files)  # a log may have been rotated just before the first line

    def _compare(self, files: Files) -> None:
        """The checkpoint has another address: find out whether the log is the same."""
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
        """Read on in the file `name` from `place`; None if the file is another log."""
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
        """Read on in a rotated log; stop following it if it was quiet for long, or is gone."""
        is_last = place.quiet_polls + 1 >= QUIET_POLLS
        after = self._find(files, place, is_last=is_last)
        if after is None:
            if place.quiet_polls == 0:
                self._say_rest_is_missing(place)
            self._logs.follow_no_more(place)
        elif after.quiet_polls >= QUIET_POLLS:
            self._logs.follow_no_more(after)

    def _find(self, files: Files, place: LogPlace, *, is_last: bool = False) -> LogPlace | None:
        """Find a log under any other name and read on in it; None if it is not found."""
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
        """The file is not the log that was read: it was rotated, cut, is sent again, or is gone."""
        place = self._logs.current
        head = head_of(first_octets(files, self._name))
        if head is not None and head == place.head and self._resume_same(files, place):
            return
        after = self._find(files, place)
        if head is None and files.listing() == self._listing:
            return
        unseen, known = self._unseen(files)
        if head is None and not unseen:
            return  # the new log has no line yet
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
        """Read on in a log with the same beginning that differs at our position; else False.

        The log is shorter, or was rewritten from some point on, or the server ignores REST.
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
                log.warning(
                    "the server accepts REST but ignores it: the log is read from its start"
                )
                return True
            files.skips = False
        self._resent = (-1, 0)
        return any(self._cut(files, place, moved_back(place, mark)) for mark in place.marks[-2::-1])

    def _cut(self, files: Files, place: LogPlace, earlier: LogPlace) -> bool:
        """Go back to the place `earlier` if the log is unchanged up to there."""
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
        """Logs that began and were rotated between two polls, oldest first; and all logs there."""
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
        """Follow and read such unseen logs, before the log that the gateway writes now."""
        unseen, known = self._unseen(files)
        self._logs.begin_older(unseen, known=known)
        self._read_unseen(files, unseen)

    def _read_unseen(self, files: Files, unseen: list[LogPlace]) -> None:
        for place in unseen:
            log.info("%s was rotated before it was seen, so all of it is read", place.name)
            metrics.LOGS.labels("unseen").inc()
            self._follow_old(files, place)

    def _say_rest_is_missing(self, place: LogPlace) -> None:
        metrics.LOGS.labels("rest-missing").inc()
        log.error(
            "the log was rotated and is not found in its folder: its lines after octet %d are"
            " missing. Get the log and `twoway import` it: its earlier lines change nothing",
            place.position,
        )
