"""Reports that are saved by name in `reports.toml` of the home: a list, its filters, a format.

[[report]]
name = "stops-of-88801"
list = "opt-outs"
filters = { number = "88801" }
format = "xlsx"
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import msgspec

from pipeline.store.report.export.formats import FORMATS
from pipeline.store.report.lists.account_listings import EVERY_LISTING
from pipeline.store.report.lists.filters import BadFilter, filters_from_query

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME: Final = "reports.toml"


class SavedReportsError(ValueError):
    """The file cannot be read; the words name the report."""


class SavedReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A report that was saved by a name."""

    name: str
    list: str
    filters: dict[str, str] = {}
    format: str = "csv"

    def download_path(self, *, form: str = "", **times: str) -> str:
        """Where the download is, below the report's own address; `times` are `from` and `to`."""
        given = {name: value for name, value in (self.filters | times).items() if value}
        return f"{form or self.format}/{self.list}?{urlencode(given)}"


class _File(msgspec.Struct, forbid_unknown_fields=True):
    report: list[SavedReport] = []


def saved_reports(home: Path) -> dict[str, SavedReport]:
    """The saved reports of a home, by name; raises `SavedReportsError`."""
    file = home / FILE_NAME
    if not file.exists():
        return {}
    try:
        found = msgspec.convert(tomllib.loads(file.read_text("utf-8")), _File).report
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise SavedReportsError(f"{file}: {error}") from error
    by_name = {report.name: report for report in found}
    if len(by_name) < len(found):
        raise SavedReportsError(f"{file}: two reports have one name")
    for report in found:
        if mistake := mistake_in(report):
            raise SavedReportsError(f"{file}: {report.name!r}: {mistake}")
    return by_name


def mistake_in(report: SavedReport) -> str:
    """Why there can be no such report; empty where there can."""
    listing = EVERY_LISTING.get(report.list)
    if not report.name or report.name in EVERY_LISTING:
        return "the name is empty, or that of a list"
    if listing is None:
        return f"list is none of {', '.join(EVERY_LISTING)}"
    if report.format not in FORMATS:
        return f"format is none of {', '.join(FORMATS)}"
    if unknown := set(report.filters) - listing.filters:
        return f"the list {report.list} has no filter {', '.join(sorted(unknown))}"
    try:
        filters_from_query(report.filters)
    except BadFilter as error:
        return str(error)
    return ""
