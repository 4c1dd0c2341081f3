"""Downloads that are made behind a page: its reader may leave, come back, and fetch the file.

A job is one file under the home's spool, which is emptied when the store starts. The file is
removed an hour after it was done, or where it could not be made.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from typing import TYPE_CHECKING, Final, Literal

from pipeline.process.log_guard import words_for_log
from pipeline.process.peer_words import words_of_error
from pipeline.store.report.lists.filters import BadFilter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from pipeline.store.report.export.answer import Exports
    from pipeline.store.report.lists.filters import Filters
    from pipeline.store.report.lists.listings import Listing

log = logging.getLogger(__name__)

KEPT_SECONDS: Final = 3_600
#: Jobs that a caller, and all callers together, may have: the disk is the store's.
_MOST_OF_ONE: Final = 5
_MOST: Final = 20


class ExportJob:
    """One download: how far it is, and where its file is."""

    def __init__(self, listing: Listing, filters: Filters, form: str, *, owner: str, file: Path):
        self.id = secrets.token_hex(16)
        self.listing = listing
        self.filters = filters
        self.form = form
        self.owner = owner
        self.file = file.with_name(f"job-{self.id}.{form}")
        self.state: Literal["waiting", "under way", "done", "failed"] = "waiting"
        self.rows = 0
        self.octets = 0
        self.words = ""
        self.asked_at = time.time()
        self.ended_at = 0.0
        self.task: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is still being made."""
        return self.state in ("waiting", "under way")

    @property
    def minutes_left(self) -> int:
        """Minutes until its file is removed; of one that is open those that any file has."""
        kept = KEPT_SECONDS - (time.time() - self.ended_at if self.ended_at else 0)
        return max(1, round(kept / 60))


class ExportJobs:
    """Makes the files of jobs, one after the other, and removes them."""

    def __init__(
        self,
        exports: Exports,
        spool: Path,
        *,
        changed: Callable[[], None] = lambda: None,
        kept_seconds: float = KEPT_SECONDS,
    ) -> None:
        self._exports = exports
        self._spool = spool
        self._changed = changed
        self._kept_seconds = kept_seconds
        self._jobs: dict[str, ExportJob] = {}
        self._one_at_a_time = asyncio.Lock()

    def of_caller(self, owner: str) -> list[ExportJob]:
        """The jobs of a caller, the newest first."""
        found = [job for job in self._jobs.values() if job.owner == owner]
        return sorted(found, key=lambda job: job.asked_at, reverse=True)

    def job_of(self, id: str, owner: str) -> ExportJob | None:
        """A job of this caller; None where there is none, or its file is removed."""
        job = self._jobs.get(id)
        return job if job and job.owner == owner else None

    def start(self, listing: Listing, filters: Filters, form: str, *, owner: str) -> ExportJob:
        """Begin a download; raises `BadFilter` where there are too many."""
        if len(self._jobs) >= _MOST or len(self.of_caller(owner)) >= _MOST_OF_ONE:
            raise BadFilter("there are many downloads already: drop one, or wait for an hour")
        self._spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        job = ExportJob(listing, filters, form, owner=owner, file=self._spool / "job")
        self._jobs[job.id] = job
        job.task = asyncio.get_running_loop().create_task(self._make(job), name=f"job {job.id}")
        return job

    def forget_job(self, job: ExportJob) -> None:
        """Stop making it, and remove its file."""
        self._jobs.pop(job.id, None)
        if job.task is not None:
            job.task.cancel()
        job.file.unlink(missing_ok=True)
        self._changed()

    async def _make(self, job: ExportJob) -> None:
        try:
            async with self._one_at_a_time:
                job.state = "under way"
                pieces = self._pieces(job)
                with await asyncio.to_thread(job.file.open, "xb") as file:
                    async for piece in pieces:
                        await asyncio.to_thread(file.write, piece)
                        job.octets += len(piece)
            job.state = "done"
        except Exception as error:  # whatever it is, the page says that there is no file
            log.warning("%s.%s broke off: %s", job.listing.name, job.form, words_for_log(error))
            job.state, job.words = "failed", words_of_error(error)
            job.file.unlink(missing_ok=True)
        job.ended_at = time.time()
        self._changed()
        asyncio.get_running_loop().call_later(self._kept_seconds, self.forget_job, job)

    def _pieces(self, job: ExportJob) -> AsyncIterator[bytes]:
        def told(rows: int) -> None:
            job.rows += rows
            self._changed()

        exports = self._exports.telling(told)
        if job.form == "csv":
            return exports.csv_pieces(job.listing, job.filters)
        return exports.file_pieces(job.listing, job.filters, job.form)
