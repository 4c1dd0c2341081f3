"""Landlock (Linux 5.19): limits the files that this thread, and threads it starts, can open.

The kernel enforces the limit, so no library in the process can avoid it, and nothing can undo it.
Threads that were started before keep their rights. See landlock(7).
"""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

#: System calls, the same on every architecture.
_CREATE_RULESET: Final = 444
_ADD_RULE: Final = 445
_RESTRICT_SELF: Final = 446
_VERSION: Final = 1  # LANDLOCK_CREATE_RULESET_VERSION
_PATH_BENEATH: Final = 1  # LANDLOCK_RULE_PATH_BENEATH
_NO_NEW_PRIVS: Final = 38  # PR_SET_NO_NEW_PRIVS

#: linux/landlock.h, LANDLOCK_ACCESS_FS_…
_WRITE_FILE: Final = 1 << 1
_READ_FILE: Final = 1 << 2
_READ_DIR: Final = 1 << 3
_OF_VERSION_2: Final = (1 << 14) - 1  # all rights, from running programs to moving between folders
_CHANGE_DIR: Final = 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 12 | 1 << 13
_TRUNCATE: Final = 1 << 14
#: Only from version 2 on can a process be allowed to move files between folders. The engine does.
_LEAST: Final = 2
_WITH_TRUNCATE: Final = 3

MAY_LIST: Final = _READ_DIR
MAY_READ: Final = _READ_FILE | _READ_DIR
#: All rights but those to run programs and to make devices, sockets and pipes.
MAY_CHANGE: Final = MAY_READ | _WRITE_FILE | _TRUNCATE | _CHANGE_DIR
_OF_A_FILE: Final = _READ_FILE | _WRITE_FILE | _TRUNCATE


class _Ruleset(ctypes.Structure):
    _fields_ = (("handled_access_fs", ctypes.c_uint64),)


class _Rule(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def is_known() -> bool:
    """Whether the kernel has a sufficient version of Landlock."""
    return _version() >= _LEAST


def confine(allowed: Iterable[tuple[Path, int]]) -> None:
    """Allow this thread only these paths and what is below them; missing paths are ignored.

    Raises `OSError` if the kernel has no Landlock, or refuses.
    """
    version = _version()
    if version < _LEAST:
        raise OSError("this kernel has no Landlock")
    handled = _OF_VERSION_2 | (_TRUNCATE if version >= _WITH_TRUNCATE else 0)
    attributes = _Ruleset(handled)
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    ruleset = _called(_CREATE_RULESET, ctypes.byref(attributes), size, ctypes.c_uint32(0))
    try:
        for path, access in allowed:
            _allow(ruleset, path, access & handled)
        if _LIBC.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "prctl")
        _called(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path, access: int) -> None:
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
    try:
        rule = _Rule(access if path.is_dir() else access & _OF_A_FILE, opened)
        if rule.allowed_access:
            kind = ctypes.c_int(_PATH_BENEATH)
            _called(_ADD_RULE, ctypes.c_int(ruleset), kind, ctypes.byref(rule), ctypes.c_uint32(0))
    finally:
        os.close(opened)


_LIBC: Final = ctypes.CDLL(None, use_errno=True)


def _version() -> int:
    """The version of the kernel's Landlock; negative if it has none."""
    nothing, no_octets = ctypes.c_void_p(None), ctypes.c_size_t(0)
    return int(_LIBC.syscall(_CREATE_RULESET, nothing, no_octets, ctypes.c_uint32(_VERSION)))


def _called(number: int, *arguments: object) -> int:
    result = int(_LIBC.syscall(ctypes.c_long(number), *arguments))
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result
