"""Child processes that are ended by their own id and do not outlive us unnoticed."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

_PR_SET_PDEATHSIG: Final = 1  # prctl(2)


class CannotStart(RuntimeError):
    """A program cannot be started; the words say why."""


def _die_with_parent() -> Callable[[], None] | None:
    """What the child runs before it becomes the program: on Linux, to be killed when we are.

    The kernel watches the *thread* that started the child, so only the main thread may ask it.
    """
    if sys.platform != "linux" or threading.current_thread() is not threading.main_thread():
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return ask


def start_process(
    argv: Sequence[str | Path], *, environment: Mapping[str, str], log: Path, given: bytes = b""
) -> subprocess.Popen[bytes]:
    """Start `argv` with its output appended to `log`, out of reach of the terminal's Ctrl-C.

    `given` is all there is on its standard input, at most what a pipe holds (64 KiB on Linux).
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output, _pipe_of(given) as given_to:
        return subprocess.Popen(  # noqa: S603 - our own programs
            [str(word) for word in argv],
            env=dict(environment),
            stdin=given_to,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_parent(),  # two system calls, nothing allocated
        )


@contextmanager
def _pipe_of(octets: bytes) -> Iterator[int]:
    """A descriptor that brings `octets` and then the end; raises `CannotStart` for too many."""
    if not octets:
        yield subprocess.DEVNULL
        return
    reading, writing = os.pipe()
    try:
        with os.fdopen(writing, "wb", buffering=0) as file:
            os.set_blocking(writing, False)
            if file.write(octets) != len(octets):
                raise CannotStart("the secret settings are longer than a pipe holds")
        yield reading
    finally:
        os.close(reading)


def stop_process(process: subprocess.Popen[Any], *, patience_seconds: float) -> int:
    """SIGTERM, then SIGKILL when it has not ended in time; the exit status."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()
