"""Ends a process whose event loop does not run any more, so that it is started again.

A regular expression or another call into C may hold the interpreter's lock for hours: no thread and
no signal handler of Python runs then. faulthandler's timer is a thread of C's and needs no lock; it
writes where each thread stands, files and lines only, and ends the process with status 1.
"""

from __future__ import annotations

import asyncio
import faulthandler
from typing import Final

#: The timer is set anew so often in the time that a process may hang.
BEATS: Final = 20
STDERR: Final = 2


async def end_when_hung(seconds: float) -> None:
    """Until cancelled, have the process end when this loop has not run for so long; 0: never."""
    if seconds <= 0:
        return
    try:
        while True:
            faulthandler.dump_traceback_later(seconds, exit=True, file=STDERR)
            await asyncio.sleep(seconds / BEATS)
    finally:
        faulthandler.cancel_dump_traceback_later()
