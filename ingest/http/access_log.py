"""One line a request to stderr: no query, no token, no address of a handset or of a caller."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

FLUSH_SECONDS: Final = 0.1


def _write_to_stderr(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


class AccessLog:
    """Gathers lines and writes them in blocks: a write a request would cost a tenth of them."""

    def __init__(self, write: Callable[[str], None] = _write_to_stderr) -> None:
        self._write = write
        self._lines: list[str] = []

    def add(self, *, method: str, path: str, status: int, seconds: float) -> None:
        """Note one answer."""
        if not self._lines:
            asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._lines.append(f"{at} {method} {path} {status} {seconds * 1000:.1f}ms\n")

    def flush(self) -> None:
        """Write what was gathered."""
        lines, self._lines = self._lines, []
        if lines:
            self._write("".join(lines))
