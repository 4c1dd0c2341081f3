"""Whether something failed for lack of room on a disk, and how much is left."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

#: The disk is full, the quota is used up, the file may not grow (errno(3)).
NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
#: A disk with less than this counts as full: RocksDB and Kafka write more at a time.
LITTLE_OCTETS: Final = 16 << 20
_WORDS: Final = tuple(os.strerror(number) for number in NO_ROOM)
_DEEPEST: Final = 10


def is_for_lack_of_room(error: BaseException) -> bool:
    """Whether the error, or one that it came of, says that there is no room.

    RocksDB raises an exception with the words of the system and no number.
    """
    cause: BaseException | None = error
    for _ in range(_DEEPEST):
        if cause is None:
            return False
        if isinstance(cause, OSError) and cause.errno in NO_ROOM:
            return True
        if any(words in str(cause) for words in _WORDS):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def words_of_little_room(folder: Path) -> str:
    """`the disk of … is full: 3 MiB are left`; empty while there is room, or nobody knows."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return ""
    left = disk.f_bavail * disk.f_frsize
    if left >= LITTLE_OCTETS:
        return ""
    return f"the disk of {folder} is full: {left >> 20} MiB are left"
