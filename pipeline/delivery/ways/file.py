"""Appends lines to `mo.log` in a folder of this machine (G8.3.2), and syncs each to the disk."""

from __future__ import annotations

import asyncio
import contextlib
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.delivery.forms import NotHandedOn, line_of
from pipeline.delivery.way import Seen

if TYPE_CHECKING:
    from pipeline.delivery.orders import DeliveryOrder
    from pipeline.records import Record, ReplyPath

MEGABYTE: Final = 1_000_000
_MODE: Final = 0o640


class FileReplyWay:
    """One path into a file; a full file is renamed to FILE.YYYYMMDDTHHMMSS."""

    def __init__(self, path: ReplyPath) -> None:
        self._path = path
        self._file = Path(path.url)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"file-{path.name}")

    async def deliver(self, order: DeliveryOrder, record: Record) -> Seen:
        """Append a line; after a crash it may be in the file twice, with the same moMsgId."""
        try:
            line = line_of(self._path, record)
        except NotHandedOn as error:
            return Seen(is_delivered=False, words=str(error))
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._path.timeout_seconds):
                await loop.run_in_executor(self._thread, self._append, line)
        except TimeoutError:
            words = f"not written within {self._path.timeout_seconds} s"
            return Seen(is_delivered=False, words=words)
        except OSError as error:
            return Seen(is_delivered=False, words=error.strerror or type(error).__name__)
        return Seen(is_delivered=True, sent=line)

    async def close(self) -> None:
        """End the thread, without waiting for a disk that hangs."""
        self._thread.shutdown(wait=False)

    def _append(self, line: bytes) -> None:
        if self._is_full():
            self._file.rename(_free_name(self._file))
        is_new = not self._file.exists()
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        opened = os.open(self._file, flags, _MODE)
        try:
            whole = memoryview((b"" if self._ends_well() else b"\n") + line)
            while whole:
                whole = whole[os.write(opened, whole) :]
            os.fsync(opened)
        finally:
            os.close(opened)
        if is_new:
            _sync_folder(self._file.parent)

    def _is_full(self) -> bool:
        most = self._path.rotate_megabytes * MEGABYTE
        with contextlib.suppress(FileNotFoundError):
            return 0 < most <= self._file.stat().st_size
        return False

    def _ends_well(self) -> bool:
        """Whether the last line has a line end; a crash may have cut it."""
        with self._file.open("rb") as file:
            if not file.seek(0, os.SEEK_END):
                return True
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"


def _free_name(file: Path) -> Path:
    """An unused name for a full log."""
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    names = (f"{file.name}.{now}{more}" for more in chain([""], (f"-{at}" for at in count(2))))
    return next(path for name in names if not (path := file.with_name(name)).exists())


def _sync_folder(folder: Path) -> None:
    """Make the name of a new file as durable as its octets."""
    opened = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
