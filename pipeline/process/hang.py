"""Ends a process whose event loop no longer runs, so that a supervisor starts it again.

A regular expression or another call into C may hold the interpreter's lock for hours. Then no
thread and no signal handler of Python runs. The timer of faulthandler is a thread in C and needs no
lock. It writes the stack of each thread (only files and lines), and ends the process with status 1.
"""

from __future__ import annotations

import asyncio
import faulthandler
from typing import Final

#: How often the timer is reset in the time that a process may hang.
BEATS: Final = 20
STDERR: Final = 2


async def end_when_hung(seconds: float) -> None:
    """Until cancelled, end the process when this loop has not run for `seconds`; 0: never."""
    if seconds <= 0:
        return
    try:
        while True:
            faulthandler.dump_traceback_later(seconds, exit=True, file=STDERR)
            await asyncio.sleep(seconds / BEATS)
    finally:
        faulthandler.cancel_dump_traceback_later()
