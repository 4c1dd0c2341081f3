"""Has the allocators of this process give back memory as soon as it is free.

The embedded engine brings jemalloc, which keeps freed memory for 5 s, for each of its arenas. Arrow
and Python take theirs from the C library. glibc has an arena for each thread and keeps in it what
lies below the highest block in use. So one download left some 200 MB behind.
"""

from __future__ import annotations

import ctypes
import os
from typing import Final

#: jemalloc reads it when the engine is loaded.
_JEMALLOC: Final = ("JE_MALLOC_CONF", "dirty_decay_ms:100,muzzy_decay_ms:0,tcache_max:4096")
#: By glibc's malloc.h: larger blocks are mapped by themselves; the top that stays; arenas.
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
_GLIBC: Final = (
    (_M_MMAP_THRESHOLD, 256 << 10),
    (_M_TRIM_THRESHOLD, 1 << 20),
    (_M_ARENA_MAX, 1),
)


def give_memory_back() -> None:
    """Set both allocators. Call it before the engine is loaded. The user's own settings stay."""
    os.environ.setdefault(*_JEMALLOC)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None or any(name.startswith("MALLOC_") for name in os.environ):
        return  # another C library, or the user's own settings
    for parameter, value in _GLIBC:
        mallopt(parameter, value)
