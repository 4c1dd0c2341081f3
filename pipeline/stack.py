"""The local stack of a home: what `up` wrote down about itself, for every other command."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.settings import Settings

FILE_NAME: Final = "stack.json"
LOCK_NAME: Final = "lock"


class StackError(RuntimeError):
    """No broker is known; the words say how to get one."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Addresses and process ids of a running stack; the contract of `--ready-file` (SPEC 11)."""

    kafka: str
    ingest: str
    report: str
    pids: dict[str, int]

    def as_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self)) + "\n"


def write_atomically(path: Path, text: str) -> None:
    """Put `text` into place in one step: a reader sees all of it or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(text)
    draft.replace(path)


def _is_held(lock: Path) -> bool:
    """Whether a supervisor holds the home; its lock goes with its process, however it ends."""
    import fcntl

    try:
        with lock.open("r") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            return False
    except FileNotFoundError:
        return False


def find_stack(home: Path) -> Stack | None:
    """The stack running under `home`; a file left behind by one that was killed is none."""
    try:
        written = json.loads((home / FILE_NAME).read_text())
    except FileNotFoundError:
        return None
    if not _is_held(home / LOCK_NAME):
        return None
    return Stack(**written)


def bootstrap_of(settings: Settings) -> str:
    """Kafka's address: the setting, else the local stack's; raises `StackError`."""
    if settings.kafka:
        return settings.kafka
    if stack := find_stack(settings.home):
        return stack.kafka
    raise StackError(
        f"no stack runs under {settings.home}: start one with 'twoway up --home {settings.home}',"
        " or name a broker by TWOWAY_KAFKA"
    )
