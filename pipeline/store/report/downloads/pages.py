"""The page of downloads: every list, reports that are saved by name, and downloads under way."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from aiohttp import web

from pipeline.store.report.export.formats import FORMATS
from pipeline.store.report.lists.account_listings import EVERY_LISTING
from pipeline.store.report.lists.filters import BadFilter
from pipeline.store.report.pages.answers import html_answer, see_other
from pipeline.store.report.pages.pages import NotThere
from pipeline.store.report.saved import SavedReport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.store.report.downloads.jobs import ExportJob, ExportJobs
    from pipeline.store.report.lists.listings import Listing
    from pipeline.store.report.lists.reading import ListReader
    from pipeline.store.report.pages.rendering import Rendering
    from pipeline.store.report.route import PageRequest
    from pipeline.store.report.saved_book import SavedBook


class JobPages:
    """Shows downloads, and takes the forms that begin, save and drop them."""

    def __init__(
        self, jobs: ExportJobs, saved: SavedBook, *, reader: ListReader, rendering: Rendering
    ) -> None:
        self._jobs = jobs
        self._saved = saved
        self._reader = reader
        self._rendering = rendering

    async def reports(self, asked: PageRequest) -> web.StreamResponse:
        """Every list, every saved report, and the caller's downloads."""
        page = self._rendering.html(
            "reports.html",
            asked,
            lists=EVERY_LISTING.values(),
            saved=self._saved.reports.values(),
            is_of_page=self._saved.is_of_page,
            jobs=self._jobs.of_caller(asked.caller.name),
        )
        return html_answer(page)

    async def save_report(self, asked: PageRequest) -> web.StreamResponse:
        """Save a report by a name, or drop one."""
        fields = asked.fields
        by = asked.caller.name
        if fields.get("action") == "drop":
            self._saved.drop(fields.get("name", ""), by=by)
            return see_other("reports")
        listing, given = _asked_list(fields)
        report = SavedReport(
            name=fields.get("name", ""),
            list=listing.name,
            filters=given,
            format=fields.get("format", "csv"),
        )
        self._saved.save(report, by=by)
        return see_other("reports")

    async def begin(self, asked: PageRequest) -> web.StreamResponse:
        """Begin a download."""
        listing, given = _asked_list(asked.fields)
        form = asked.fields.get("format", "csv")
        if form not in FORMATS:
            raise BadFilter(f"format is none of {', '.join(FORMATS)}")
        filters = await self._reader.filters(listing, given)
        job = self._jobs.start(listing, filters, form, owner=asked.caller.name)
        return see_other(f"job?id={job.id}")

    async def job(self, asked: PageRequest) -> web.StreamResponse:
        """How far a download is; raises `NotThere`."""
        return html_answer(self._rendering.html("job.html", asked, job=self._job_of(asked)))

    async def file(self, asked: PageRequest) -> web.StreamResponse:
        """The file of a download; raises `NotThere`."""
        job = self._job_of(asked)
        if job.state != "done":
            raise NotThere("the file is not whole yet" if job.is_open else "there is no file")
        return web.FileResponse(
            job.file,
            headers={
                "Content-Type": FORMATS[job.form],
                "Content-Disposition": f'attachment; filename="{job.listing.name}.{job.form}"',
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "no-store",
            },
        )

    async def drop(self, asked: PageRequest) -> web.StreamResponse:
        """Stop a download, and remove its file; raises `NotThere`."""
        self._jobs.forget_job(self._found(asked.fields.get("id", ""), asked))
        return see_other("reports")

    def _job_of(self, asked: PageRequest) -> ExportJob:
        return self._found(asked.query.get("id", ""), asked)

    def _found(self, id: str, asked: PageRequest) -> ExportJob:
        job = self._jobs.job_of(id, asked.caller.name)
        if job is None:
            raise NotThere("there is no such download, or its file was removed after an hour")
        return job


def _asked_list(fields: Mapping[str, str]) -> tuple[Listing, dict[str, str]]:
    """The list that a form names, and its filters, given as a query; raises `BadFilter`."""
    listing = EVERY_LISTING.get(fields.get("list", ""))
    if listing is None:
        raise BadFilter(f"list is none of {', '.join(EVERY_LISTING)}")
    given = dict(parse_qsl(fields.get("filters", "")))
    if unknown := sorted(set(given) - listing.filters):
        raise BadFilter(f"the list {listing.name} has no filter {', '.join(unknown)[:64]}")
    return listing, given
