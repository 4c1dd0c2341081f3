"""Downloads: all rows of a list, read page by page, so that neither memory nor a session is held.

CSV goes out as it is read. The other formats are written to a file first, which goes out and is
gone. Nothing ends in silence: what fails on the way breaks the answer off, and a client says so.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from aiohttp import web

from pipeline.process.log_guard import words_for_log
from pipeline.store.report.export.csv_form import BYTE_ORDER_MARK, csv_from_rows
from pipeline.store.report.export.formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from pipeline.store.query.questions import Questions
    from pipeline.store.report.lists.columns import Column
    from pipeline.store.report.lists.filters import Filters
    from pipeline.store.report.lists.listings import Listing
    from pipeline.store.report.lists.reading import ListReader
    from pipeline.store.report.route import PageRequest

P = ParamSpec("P")
T = TypeVar("T")
log = logging.getLogger(__name__)

#: More exports at a time wait: pages are answered beside them.
AT_ONCE: Final = 2
_PIECE_OCTETS: Final = 256 << 10
_ROWS_A_PIECE: Final = 5_000  # of CSV: about 2 MB
#: Each thread keeps some of the memory that it used, so downloads have no more threads than these.
_THREADS: Final = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="export")


class Exports:
    """Makes downloads, a few at a time; files are under `spool` while they are made."""

    def __init__(
        self,
        reader: ListReader,
        questions: Questions,
        spool: Path,
        *,
        free: asyncio.Semaphore | None = None,
        told: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._reader = reader
        self._questions = questions
        self._spool = spool
        self._free = free or asyncio.Semaphore(AT_ONCE)
        self._told = told

    def telling(self, told: Callable[[int], None]) -> Exports:
        """The same, which tells how many rows were read, as they are."""
        return Exports(self._reader, self._questions, self._spool, free=self._free, told=told)

    async def filters_of(self, listing: Listing, asked: PageRequest) -> Filters:
        """The filters of a request; raises `BadFilter`."""
        return await self._reader.filters(listing, asked.query)

    async def csv_pieces(self, listing: Listing, filters: Filters) -> AsyncGenerator[bytes, None]:
        """A list as CSV, piece by piece."""
        from pipeline.store.report.export.csv_columns import csv_from_columns

        columns = exported(listing)
        async with self._free:
            yield BYTE_ORDER_MARK + csv_from_rows([[column.name for column in columns]])
            async for rows in self._columns(listing, filters, columns):
                for start in range(0, len(rows[0]), _ROWS_A_PIECE):
                    yield await _worked(
                        csv_from_columns, [each.slice(start, _ROWS_A_PIECE) for each in rows]
                    )
                del rows  # before the next are read

    async def file_pieces(
        self, listing: Listing, filters: Filters, form: str
    ) -> AsyncGenerator[bytes, None]:
        """A list as a file of another format, once it is whole."""
        columns = exported(listing)
        self._spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        async with self._free:
            with tempfile.TemporaryDirectory(prefix="export-", dir=self._spool) as folder:
                file = Path(folder, f"rows.{form}")
                written = await _worked(_form_of, form, file, columns)
                try:
                    async for rows in self._columns(listing, filters, columns):
                        await _worked(written.write, rows)
                        del rows  # before the next are read
                finally:
                    await _worked(written.close)
                with await _worked(file.open, "rb") as whole:
                    while piece := await _worked(whole.read, _PIECE_OCTETS):
                        yield piece

    async def _columns(
        self, listing: Listing, filters: Filters, columns: Sequence[Column]
    ) -> AsyncGenerator[list[Any], None]:
        """The values of the columns, as whoever asks may see them, some rows at a time."""
        from pipeline.store.report.export.whole import WholeLists

        whole = WholeLists(self._questions)
        async for found in whole.read(listing, filters, columns):
            self._told(len(found[columns[0].name]))
            yield [found[column.name] for column in columns]
            del found  # before the next are read


def _worked(work: Callable[P, T], /, *given: P.args, **named: P.kwargs) -> asyncio.Future[T]:
    """The result of work in a thread of downloads."""
    whole = partial(copy_context().run, work, *given, **named)
    return asyncio.get_running_loop().run_in_executor(_THREADS, whole)


def exported(listing: Listing) -> list[Column]:
    """The columns of a download: those that are there, and not made of others."""
    return [column for column in listing.columns if column.kind != "fate"]


def _form_of(form: str, file: Path, columns: Sequence[Column]) -> Any:
    # These libraries take memory that a store without exports need not have.
    if form == "xlsx":
        from pipeline.store.report.export.xlsx_form import XlsxForm

        return XlsxForm(file, columns)
    from pipeline.store.report.export.parquet_form import ParquetForm

    return ParquetForm(file, columns)


async def export_answer(
    asked: PageRequest, *, exports: Exports, listing: Listing, form: str
) -> web.StreamResponse:
    """The download of a list."""
    filters = await exports.filters_of(listing, asked)
    response = web.StreamResponse(
        headers={
            "Content-Type": FORMATS[form] + ("; charset=utf-8" if form == "csv" else ""),
            "Content-Disposition": f'attachment; filename="{listing.name}.{form}"',
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        }
    )
    if asked.request.method == "HEAD":
        return response
    pieces = (
        exports.csv_pieces(listing, filters)
        if form == "csv"
        else exports.file_pieces(listing, filters, form)
    )
    first = await anext(pieces)  # an error before it has an answer of its own
    await response.prepare(asked.request)
    try:
        await response.write(first)
        async for piece in pieces:
            await response.write(piece)
        await response.write_eof()
    except ConnectionResetError:
        log.info("the reader of %s.%s has gone", listing.name, form)
    except Exception as error:
        log.warning("%s.%s broke off: %s", listing.name, form, words_for_log(error))
        if asked.request.transport is not None:
            asked.request.transport.abort()
        raise
    finally:
        await pieces.aclose()
    return response
