"""Starts and stops child processes; on Linux a child dies with its parent."""

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
    """A function for the child to run before it becomes the program; None if not possible.

    On Linux it asks the kernel to kill the child when the parent dies. The kernel watches the
    *thread* that started the child, so only the main thread may do this.
    """
    if sys.platform != "linux" or threading.current_thread() is not threading.main_thread():
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # the parent died before the call
            os._exit(1)

    return ask


def start_process(
    argv: Sequence[str | Path], *, environment: Mapping[str, str], log: Path, given: bytes = b""
) -> subprocess.Popen[bytes]:
    """Start `argv` in its own session, so that Ctrl-C does not reach it; append output to `log`.

    `given` is the whole standard input; it must fit into a pipe (64 KiB on Linux).
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
    """A descriptor from which `octets` can be read; raises `CannotStart` if they are too many."""
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
    """Send SIGTERM, then SIGKILL after `patience_seconds`; returns the exit status."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()
