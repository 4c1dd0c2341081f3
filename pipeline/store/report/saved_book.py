"""Reports that were saved from a page: lines of JSON in `reports.jsonl` of the home.

The store may not read its home once it is confined (0104), so the file is opened before, and only
added to: a line for each report that is saved or dropped. A line that a crash cut is left out.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.store.report.lists.filters import BadFilter
from pipeline.store.report.saved import SavedReport, mistake_in, saved_reports

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

BOOK_NAME: Final = "reports.jsonl"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MOST: Final = 500


class _BookLine(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A report that was saved; without `report` the name is dropped."""

    name: str
    report: SavedReport | None = None
    by: str = ""


class SavedBook:
    """The saved reports: those of `reports.toml`, which no page changes, and those of pages."""

    def __init__(
        self,
        of_file: Mapping[str, SavedReport] | None = None,
        of_pages: Mapping[str, SavedReport] | None = None,
        *,
        target: int | None = None,
    ) -> None:
        """`target` is a file descriptor to add lines to; None: nothing can be saved."""
        self._of_file = dict(of_file or {})
        self._of_pages = dict(of_pages or {})
        self._target = target

    @property
    def reports(self) -> dict[str, SavedReport]:
        """Every saved report, by its name."""
        return self._of_pages | self._of_file

    def is_of_page(self, name: str) -> bool:
        """Whether a page may drop the report."""
        return name in self._of_pages and name not in self._of_file

    def save(self, report: SavedReport, *, by: str) -> None:
        """Save a report, or save it anew; raises `BadFilter` where it cannot be."""
        if not _NAME.fullmatch(report.name):
            raise BadFilter("a name has letters, digits, dots, hyphens and underscores, 64 at most")
        if report.name in self._of_file:
            raise BadFilter(f"{report.name} is in reports.toml, which only an editor changes")
        if mistake := mistake_in(report):
            raise BadFilter(f"{report.name} cannot be saved: {mistake}")
        if report.name not in self._of_pages and len(self._of_pages) >= _MOST:
            raise BadFilter(f"{_MOST} reports are saved already: drop one first")
        self._add(_BookLine(name=report.name, report=report, by=by))
        self._of_pages[report.name] = report

    def drop(self, name: str, *, by: str) -> None:
        """Drop a report that a page saved; raises `BadFilter` where it cannot be."""
        if not self.is_of_page(name):
            raise BadFilter("no page saved a report of that name")
        self._add(_BookLine(name=name, by=by))
        del self._of_pages[name]

    def _add(self, line: _BookLine) -> None:
        if self._target is None:
            raise BadFilter("this store has no home that it may write to, so nothing can be saved")
        try:
            # The first line end closes a line that a crash cut.
            os.write(self._target, b"\n" + msgspec.json.encode(line) + b"\n")
            os.fsync(self._target)
        except OSError as error:
            raise BadFilter(f"it could not be written: {error.strerror}") from error


def open_book(home: Path) -> SavedBook:
    """The saved reports of a home, and the file to save more; raises `SavedReportsError`.

    Called before the process is confined.
    """
    try:
        target: int | None = os.open(
            home / BOOK_NAME, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
    except OSError:
        target = None  # a home that is read only: what is saved is shown
    return SavedBook(saved_reports(home), reports_of_pages(home), target=target)


def reports_of_pages(home: Path) -> dict[str, SavedReport]:
    """The reports that pages saved, by name."""
    try:
        lines = (home / BOOK_NAME).read_bytes().splitlines()
    except OSError:
        return {}
    found: dict[str, SavedReport] = {}
    for line in lines:
        try:
            held = msgspec.json.decode(line, type=_BookLine)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        found.pop(held.name, None)
        if held.report is not None and not mistake_in(held.report):
            found[held.name] = held.report
    return found
