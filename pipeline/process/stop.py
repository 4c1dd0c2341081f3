"""How a process ends when it cannot go on: at once, with a critical log line.

The status is 70, and 74 where a disk has no room: whoever keeps the process then waits for room.
"""

from __future__ import annotations

import logging
import os
from typing import Final, NoReturn

from pipeline.process import troubles
from pipeline.process.log_guard import exception_in_words
from pipeline.process.room import is_for_lack_of_room

log = logging.getLogger(__name__)

EXIT_FAILED: Final = 70  # sysexits.h EX_SOFTWARE
EXIT_NO_ROOM: Final = 74  # sysexits.h EX_IOERR


def stop_loudly(what: str, error: BaseException) -> NoReturn:
    """Log what failed, with the traceback, and end the process. A supervisor restarts it."""
    log.critical(
        "%s: %s: %s; this process stops and must be started again",
        what,
        type(error).__name__,
        error,
        exc_info=error,
    )
    status = EXIT_NO_ROOM if is_for_lack_of_room(error) else EXIT_FAILED
    _end(f"{what}: {exception_in_words(error)}", status)


def stop_for(reason: str) -> NoReturn:
    """Log `reason` in one line, without a traceback, and end the process."""
    log.critical("%s; this process stops", reason)
    _end(reason, EXIT_FAILED)


def _end(words: str, status: int) -> NoReturn:
    try:
        troubles.tell_end(words)
        logging.shutdown()
    finally:  # on a full disk not even stderr can be written
        os._exit(status)
