"""The pipeline's time: the machine's time plus the offset of the local stack."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

OFFSET_FILE: Final = "clock-offset-seconds"


class PipelineClock:
    """The clock of ingest, `POST /mt` and the ticks. Decisions never read it.

    The offset is in a file under the home of a local stack; `twoway clock advance` writes it. Other
    installations have no offset.
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
        """The pipeline's time, as an aware datetime in UTC."""
        return datetime.now(UTC) + self.offset()

    def set_offset(self, offset: timedelta) -> None:
        """Write the offset for every process of the stack, atomically."""
        if self._file is None:
            raise RuntimeError("only a local stack's clock can be advanced")
        draft = self._file.with_suffix(".new")
        draft.write_text(f"{offset.total_seconds():.6f}\n")
        draft.replace(self._file)
