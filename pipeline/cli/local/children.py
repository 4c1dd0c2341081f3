"""The programs of the local stack, and how each stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to run. `command` may take its time; what it `needs` is ready before it starts."""

    name: str
    command: Callable[[], Sequence[str]]
    environment: Mapping[str, str]
    log: Path
    is_ready: Callable[[], bool]
    given: bytes = b""  # on standard input
    is_alive: Callable[[], bool] | None = None  # whether it answers at all, within seconds
    needs: tuple[str, ...] = ()
    once_ready: Callable[[], None] | None = None


@dataclass
class Child:
    """How a program stands. `process` is the newest, also when it has ended."""

    program: Program
    process: subprocess.Popen[bytes] | None = None
    argv: tuple[str, ...] = ()
    runs: bool = False
    ready: bool = False
    was_ready: bool = False
    hangs: int = 0  # how often it was ended because it did not answer
    deaths: int = 0  # in a row, without being ready in between
    started_at: float = 0.0
    start_at: float = 0.0  # not before
