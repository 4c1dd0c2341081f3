"""The programs of the local stack, and the state of their processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program to run. It starts once the programs in `needs` are ready.

    `command` makes the command line; it may take long.
    """

    name: str
    command: Callable[[], Sequence[str]]
    environment: Mapping[str, str]
    log: Path
    is_ready: Callable[[], bool]
    given: bytes = b""  # on standard input
    is_alive: Callable[[], bool] | None = None  # whether it answers at all, in a few seconds
    needs: tuple[str, ...] = ()
    once_ready: Callable[[], None] | None = None


@dataclass
class Child:
    """The state of a program. `process` is its newest process, even if that has ended."""

    program: Program
    process: subprocess.Popen[bytes] | None = None
    argv: tuple[str, ...] = ()
    runs: bool = False
    ready: bool = False
    was_ready: bool = False
    hangs: int = 0  # how often the supervisor ended it because it did not answer
    deaths: int = 0  # in a row, without being ready in between
    without_room: int = 0  # deaths beside those: the disk was full
    started_at: float = 0.0
    start_at: float = 0.0  # the earliest time of the next start
