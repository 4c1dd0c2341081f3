"""Prints what `up` does."""

from __future__ import annotations

import sys
import time

from pipeline.process.room import is_for_lack_of_room


def say(words: str) -> None:
    """Print a line with the time of day on stdout.

    Where stdout is a file on a full disk, the line may be lost: who keeps the processes running
    must not end for that.
    """
    try:
        sys.stdout.write(f"{time.strftime('%H:%M:%S')} {words}\n")
        sys.stdout.flush()
    except OSError as error:
        if not is_for_lack_of_room(error):
            raise
