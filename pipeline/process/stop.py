"""How a process ends when it cannot go on: at once, with a critical log line and status 70."""

from __future__ import annotations

import logging
import os
from typing import Final, NoReturn

from pipeline.process import troubles
from pipeline.process.log_guard import exception_in_words

log = logging.getLogger(__name__)

EXIT_FAILED: Final = 70  # sysexits.h EX_SOFTWARE


def stop_loudly(what: str, error: BaseException) -> NoReturn:
    """Log what failed, with the traceback, and end the process. A supervisor restarts it."""
    log.critical(
        "%s: %s: %s; this process stops and must be started again",
        what,
        type(error).__name__,
        error,
        exc_info=error,
    )
    _end(f"{what}: {exception_in_words(error)}")


def stop_for(reason: str) -> NoReturn:
    """Log `reason` in one line, without a traceback, and end the process."""
    log.critical("%s; this process stops", reason)
    _end(reason)


def _end(words: str) -> NoReturn:
    troubles.tell_end(words)
    logging.shutdown()
    os._exit(EXIT_FAILED)
