"""The form of every log line of every process: words for people, or JSON for a collector."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pipeline.settings import Settings

LOG_WORDS: Final = "words"
LOG_JSON: Final = "json"
FORMS: Final = (LOG_WORDS, LOG_JSON)
LINE: Final = "%(asctime)s %(levelname)s %(name)s %(message)s"


class JsonLines(logging.Formatter):
    """One object a line: `time` (RFC 3339, UTC), `level`, `logger`, `message`, `traceback`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record; `traceback` is there only for an exception."""
        at = datetime.fromtimestamp(record.created, UTC)
        line = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_text or record.exc_info:
            line["traceback"] = record.exc_text or self.formatException(record.exc_info or ())  # type: ignore[arg-type]
        return json.dumps(line, ensure_ascii=False)


def formatter_of(settings: Settings) -> logging.Formatter:
    """The formatter that the setting log_format names."""
    return JsonLines() if settings.log_format == LOG_JSON else logging.Formatter(LINE)


def format_handlers(settings: Settings) -> None:
    """Give every handler of this process the form; Faust has made some of its own."""
    for each in logging.getLogger().handlers:
        each.setFormatter(formatter_of(settings))
