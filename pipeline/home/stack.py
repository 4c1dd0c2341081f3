"""Finds the local stack of a home, from the files that `up` writes for other commands."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Final

from pipeline.home.brokers import Brokers, login_from
from pipeline.home.holding import is_held

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.settings import Settings

STACK_FILE: Final = "stack.json"
BROKER_NAME: Final = "broker"  # a file with the broker's address, before the stack is ready


class StackError(RuntimeError):
    """There is no local stack, or it cannot be started; the words say what to do."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Addresses and process ids of a running stack; the contract of `--ready-file`."""

    kafka: str
    ingest: str
    report: str
    pids: dict[str, int]
    hangs: dict[str, int] = field(default_factory=dict)
    """How often `up` ended each process because it did not answer; without zeros."""

    def as_json(self) -> str:
        """One line of JSON; `hangs` is left out if it is empty."""
        written = asdict(self)
        if not self.hangs:
            del written["hangs"]
        return json.dumps(written) + "\n"


def find_stack(home: Path) -> Stack | None:
    """The stack that is ready under `home`; None if there is none, or if it was killed."""
    try:
        written = json.loads((home / STACK_FILE).read_text())
    except FileNotFoundError:
        return None
    return Stack(**written) if is_held(home) else None


def bootstrap_of(settings: Settings) -> Brokers:
    """Kafka's address: the setting, or else the local stack's broker; raises `StackError`.

    The login is that of the settings; raises `SettingsError` for one that cannot work.
    """
    if isinstance(settings.kafka, Brokers):
        return settings.kafka
    return Brokers(_servers_of(settings), login_from(settings))


def _servers_of(settings: Settings) -> str:
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
