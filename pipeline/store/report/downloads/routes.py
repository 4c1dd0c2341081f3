"""The routes of downloads that are made behind a page, and of saved reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.records import AccessAction
from pipeline.store.report.caller import Right
from pipeline.store.report.route import ReportRoute

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.store.report.downloads.pages import JobPages

_DOWNLOADS: Final = frozenset({Right.NUMBERS, Right.TEXTS, Right.DOWNLOAD})


def job_routes(pages: JobPages) -> Iterator[ReportRoute]:
    """Downloads and saved reports."""
    id = frozenset({"id"})
    for path, answer, parameters in (
        ("/reports", pages.reports, frozenset[str]()),
        ("/job", pages.job, id),
        ("/job-file", pages.file, id),
    ):
        yield ReportRoute(
            method="GET", path=path, answer=answer, needs=_DOWNLOADS, parameters=parameters,
            noted=AccessAction.DOWNLOAD if answer == pages.file else None, what=path[1:],
        )  # fmt: skip
    for path, form, noted in (
        ("/reports", pages.save_report, None),
        ("/jobs", pages.begin, AccessAction.DOWNLOAD),
        ("/job", pages.drop, None),
    ):
        yield ReportRoute(
            method="POST", path=path, answer=form, needs=_DOWNLOADS, has_form=True,
            noted=noted, what=path[1:],
        )  # fmt: skip
