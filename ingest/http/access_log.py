"""Logs one line for each request to stderr, without query, token, handset or caller's address."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pipeline.process.log_format import LOG_JSON, LOG_WORDS
from pipeline.process.log_ids import LoggedId

if TYPE_CHECKING:
    from collections.abc import Callable

FLUSH_SECONDS: Final = 0.1
#: What an id may be to be shown: whoever calls has chosen it.
_ID: Final = re.compile(r"[A-Za-z0-9._:~-]{1,128}")


def _write_to_stderr(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


def _words(at: str, method: str, path: str, status: int, took_ms: float, id: str) -> str:
    return f"{at} {method} {path} {status} {took_ms:.1f}ms{id and f' id={id}'}\n"


def _object(at: str, method: str, path: str, status: int, took_ms: float, id: str) -> str:
    line = {"time": at.replace("+00:00", "Z"), "level": "info", "logger": "twoway.access"}
    asked = {"method": method, "path": path, "status": status, "took_ms": took_ms}
    named = {"id": id} if id else {}
    return json.dumps(line | {"message": f"{method} {path} {status}"} | asked | named) + "\n"


class AccessLog:
    """Collects lines and writes them in blocks: one write per request would cost 10 % of them."""

    def __init__(
        self, write: Callable[[str], None] = _write_to_stderr, *, form: str = LOG_WORDS
    ) -> None:
        """`form` as in the setting log_format."""
        self._write = write
        self._line = _object if form == LOG_JSON else _words
        self._lines: list[str] = []

    def add(self, *, method: str, path: str, status: int, seconds: float, about: str = "") -> None:
        """Add the line of one answer; `about` is the id of the message that it is about."""
        if not self._lines:
            asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        named = str(LoggedId(about)) if _ID.fullmatch(about) else ""
        self._lines.append(self._line(at, method, path, status, round(seconds * 1000, 1), named))

    def flush(self) -> None:
        """Write the collected lines."""
        lines, self._lines = self._lines, []
        if lines:
            self._write("".join(lines))
