"""Whether an error says that a disk is full."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.process import room
from pipeline.process.room import is_for_lack_of_room, words_of_little_room
from pipeline.process.stop import EXIT_FAILED, EXIT_NO_ROOM

if TYPE_CHECKING:
    from collections.abc import Callable


def caused(cause: BaseException) -> BaseException:
    error = RuntimeError("the state cannot be written")
    error.__cause__ = cause
    return error


def endless() -> BaseException:
    error = RuntimeError("the state cannot be written")
    error.__context__ = caused(error)
    return error


@pytest.mark.parametrize(
    ("error", "is_it"),
    [
        (OSError(errno.ENOSPC, "x"), True),
        (OSError(errno.EDQUOT, "x"), True),
        (OSError(errno.EFBIG, "x"), True),
        (OSError(errno.EIO, "x"), False),
        # rocksdict 0.3.29 on a full tmpfs
        (Exception("IO error: No space left on device: While appending to file: 000012.log"), True),
        (caused(OSError(errno.ENOSPC, "x")), True),
        (caused(OSError(errno.EACCES, "x")), False),
        (endless(), False),
        (KeyError("room"), False),
    ],
    ids=repr,
)
def test_an_error_for_lack_of_room(error: BaseException, is_it: bool) -> None:
    assert is_for_lack_of_room(error) is is_it


@pytest.mark.parametrize(
    ("made", "status"), [("OSError(28, 'x')", EXIT_NO_ROOM), ("OSError(5, 'x')", EXIT_FAILED)]
)
def test_a_process_says_by_its_status_that_it_needs_room(made: str, status: int) -> None:
    line = f"from pipeline.process.stop import stop_loudly; stop_loudly('the state', {made})"
    done = subprocess.run([sys.executable, "-c", line], check=False, capture_output=True)
    assert done.returncode == status


@pytest.fixture
def disk_with(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    def left(octets: int) -> None:
        blocks = type("Disk", (), {"f_bavail": octets // 512, "f_frsize": 512})
        monkeypatch.setattr(room.os, "statvfs", lambda _: blocks)

    return left


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (0, "the disk of /home/x is full: 0 MiB are left"),
        ((16 << 20) - 512, "the disk of /home/x is full: 15 MiB are left"),
        (16 << 20, ""),
    ],
)
def test_little_room_is_said(disk_with: Callable[[int], None], octets: int, words: str) -> None:
    disk_with(octets)
    assert words_of_little_room(Path("/home/x")) == words


def test_where_nobody_can_look_nothing_is_said(tmp_path: Path) -> None:
    assert words_of_little_room(tmp_path / "nowhere") == ""
