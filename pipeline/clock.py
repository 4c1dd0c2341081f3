"""The time that enters the pipeline: the machine's, plus the local stack's offset."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

OFFSET_FILE: Final = "clock-offset-seconds"


class PipelineClock:
    """Reads the time for ingest, `POST /mt` and the ticks; decisions never ask it.

    `twoway clock advance` adds to a file under the home of a local stack; elsewhere there is none.
    """

    def __init__(self, home: Path | None = None) -> None:
        self._file = home / OFFSET_FILE if home else None
        self._stamp: tuple[int, int] | None = None
        self._offset = timedelta()

    def offset(self) -> timedelta:
        """How far the pipeline's time is ahead of the machine's."""
        if self._file is None:
            return self._offset
        try:
            status = self._file.stat()
        except FileNotFoundError:
            return timedelta()
        stamp = (status.st_mtime_ns, status.st_ino)
        if stamp != self._stamp:
            self._offset = timedelta(seconds=float(self._file.read_text()))
            self._stamp = stamp
        return self._offset

    def now(self) -> datetime:
        """The pipeline's time; aware UTC, microseconds."""
        return datetime.now(UTC) + self.offset()

    def set_offset(self, offset: timedelta) -> None:
        """Put the offset down for every process of the stack, atomically."""
        if self._file is None:
            raise RuntimeError("only a local stack's clock can be advanced")
        draft = self._file.with_suffix(".new")
        draft.write_text(f"{offset.total_seconds():.6f}\n")
        draft.replace(self._file)
