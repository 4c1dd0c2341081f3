"""The local stack of a home: what `up` wrote down about itself, for every other command."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Final

from pipeline.home.holding import is_held

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.settings import Settings

STACK_FILE: Final = "stack.json"
BROKER_NAME: Final = "broker"  # its address, for the stack's own processes, before all is ready


class StackError(RuntimeError):
    """There is no local stack, or it cannot be brought up; the words say what to do."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Addresses and process ids of a running stack; the contract of `--ready-file`."""

    kafka: str
    ingest: str
    report: str
    pids: dict[str, int]
    hangs: dict[str, int] = field(default_factory=dict)
    """How often each was ended because it did not answer; only those that were."""

    def as_json(self) -> str:
        """One line of JSON; `hangs` only where there were any."""
        written = asdict(self)
        if not self.hangs:
            del written["hangs"]
        return json.dumps(written) + "\n"


def find_stack(home: Path) -> Stack | None:
    """The stack that is ready under `home`; a file left behind by one that was killed is none."""
    try:
        written = json.loads((home / STACK_FILE).read_text())
    except FileNotFoundError:
        return None
    return Stack(**written) if is_held(home) else None


def bootstrap_of(settings: Settings) -> str:
    """Kafka's address: the setting, else the broker of the local stack; raises `StackError`."""
    if settings.kafka:
        return settings.kafka
    try:
        address = (settings.home / BROKER_NAME).read_text().strip()
    except FileNotFoundError:
        address = ""
    if address and is_held(settings.home):
        return address
    raise StackError(
        f"no stack runs under {settings.home}: start one with `twoway up --home {settings.home}`,"
        " or name a broker by TWOWAY_KAFKA"
    )
