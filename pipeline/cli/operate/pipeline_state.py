"""What `status` shows: answers of the broker and of the report, and which process is down."""

from __future__ import annotations

import os
from datetime import datetime
from functools import partial
from time import time
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from pipeline.cli.ask.report_client import failure_of, report_of, rows
from pipeline.cli.operate.partitions import BrokerState, broker_state
from pipeline.cli.operate.path_states import path_states
from pipeline.cli.terminal.failure import CommandError
from pipeline.cli.terminal.local import clock_of
from pipeline.home.stack import bootstrap_of, find_stack
from pipeline.kafka import readers
from pipeline.kafka.topics import partition_of
from pipeline.process import troubles
from pipeline.process.room import words_of_little_room

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.home.stack import Stack
    from pipeline.settings import Settings

LAST_MO: Final = """
SELECT number, formatDateTime(max(received_at), '%FT%TZ', 'UTC') AS last_mo, count() AS messages
FROM mo_message GROUP BY number ORDER BY number"""
DEAD_LETTERS: Final = """
SELECT stage, reason, count() AS letters, formatDateTime(max(at), '%FT%TZ', 'UTC') AS last
FROM dead_letter WHERE dead_letter_id NOT IN (SELECT dead_letter_id FROM dead_letter_retry)
GROUP BY stage, reason ORDER BY stage, reason"""
# A command is open for a week at most, but for one of which nobody says what became of it. One that
# no sender has asked for has no state yet, and waits until it expires.
COMMANDS: Final = """
SELECT state, count() AS commands, formatDateTime(min(first), '%FT%TZ', 'UTC') AS oldest FROM (
  SELECT argMax(s.state, s.kafka_offset) AS state, min(s.at) AS first FROM mt_state_rows AS s
  WHERE (s.handset, s.command_id) IN (
    SELECT handset, command_id FROM mt_state_rows
    WHERE state = 'unknown' OR (state IN ('waiting', 'permitted') AND at > now() - INTERVAL 8 DAY)
  )
  GROUP BY s.handset, s.command_id
  UNION ALL
  SELECT 'waiting', at FROM mt_command WHERE at > now() - INTERVAL 31 DAY AND not_after > now()
  AND command_id NOT IN (
    SELECT command_id FROM mt_state_rows WHERE at > now() - INTERVAL 31 DAY
    UNION ALL SELECT command_id FROM mt_rejection_rows WHERE at > now() - INTERVAL 31 DAY
    UNION ALL SELECT command_id FROM mt_result_rows WHERE at > now() - INTERVAL 31 DAY
  )
) WHERE state IN ('waiting', 'permitted', 'unknown') GROUP BY state ORDER BY state"""
DUE_STATES: Final = """
SELECT handset, formatDateTime(min(due_at), '%FT%TZ', 'UTC') AS due FROM (
  SELECT handset,
    argMax(state, (recorded_at, change_id)) AS last_state,
    argMax(tuple(confirmation_due_at), (recorded_at, change_id)).1 AS due_at
  FROM consent_change GROUP BY handset, scope_kind, scope
) WHERE last_state = 'confirmation-due' AND due_at IS NOT NULL GROUP BY handset"""


T = TypeVar("T")


class PipelineState(msgspec.Struct, frozen=True, kw_only=True):
    """What `status --json` prints. A value is null if the process that knows it is down."""

    time: datetime
    down: dict[str, str]
    partitions: list[dict[str, Any]] | None
    last_mo: list[dict[str, Any]] | None
    dead_letters: list[dict[str, Any]] | None
    commands: list[dict[str, Any]] | None = None
    """Commands that are neither sent nor refused, by state."""
    paths: list[dict[str, Any]] | None = None
    """Reply paths: what waits for each, and its circuit."""
    groups: list[dict[str, Any]] = []
    """Consumer groups: how many processes read in each."""
    hangs: dict[str, int] = {}
    """How often `up` ended a process because it did not answer."""
    troubles: list[dict[str, str]] = []
    warnings: list[str] = []
    """What an operator should change although all is well now."""

    @property
    def is_well(self) -> bool:
        """Whether nothing is down, and no process waits for an operator or ends again and again."""
        return not self.down and not self.troubles


def pipeline_state(settings: Settings) -> PipelineState:
    """Ask all processes; raises `StackError` if no broker is known."""
    bootstrap = bootstrap_of(settings)
    stack = find_stack(settings.home)
    down = dict(_ended_processes(stack))
    broker = _asked(lambda: broker_state(bootstrap), part="kafka", down=down)
    if broker is not None:
        down |= _groups_without_members(broker)
    ingest = stack.ingest if stack else f"http://{settings.http_host}:{settings.http_port}"
    if words := failure_of(ingest):
        down |= {"ingest": words}
    report = report_of(settings)
    if words := failure_of(report):
        down |= {"store": words}
    last_mo, dead_letters, due, commands = (
        _asked(partial(rows, report, question), part="store", down=down)
        for question in (LAST_MO, DEAD_LETTERS, DUE_STATES, COMMANDS)
    )
    paths = _asked(lambda: path_states(partial(rows, report)), part="store", down=down)
    if broker is not None:
        down |= _without_deliver(broker, paths)
    return PipelineState(
        time=clock_of(settings).now(),
        down=down,
        partitions=_partitions(broker, due) if broker else None,
        last_mo=last_mo,
        dead_letters=dead_letters,
        commands=commands,
        paths=paths,
        groups=[msgspec.structs.asdict(group) for group in broker.groups] if broker else [],
        hangs=stack.hangs if stack else {},
        troubles=_troubles(settings),
        warnings=[broker.warning] if broker and broker.warning else [],
    )


def _troubles(settings: Settings) -> list[dict[str, str]]:
    """The processes of this home that wait for an operator or room, or keep ending, and why."""
    found = [*troubles.waiting(settings.home), *troubles.ended(settings.home, now=time())]
    if words := words_of_little_room(settings.home):
        found.append(("up", f"{words}; processes that need room are started again until there is"))
    return [{"process": name, "words": words} for name, words in found]


def _asked(ask: Callable[[], T], *, part: str, down: dict[str, str]) -> T | None:
    """The answer, or None if `part` is down; the first reason goes into `down`."""
    try:
        return ask() if part not in down else None
    except CommandError as error:
        down[part] = str(error)
        return None


def _ended_processes(stack: Stack | None) -> Iterator[tuple[str, str]]:
    """The processes of the local stack that have ended."""
    for name, pid in (stack.pids if stack else {}).items():
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            yield name, f"its process {pid} has ended"
        except PermissionError:
            continue  # the process lives and belongs to another user


def _groups_without_members(broker: BrokerState) -> dict[str, str]:
    """The workers or the store, if their group has no member."""
    parts = {readers.CONVERSATION: "worker", readers.STORE: "store"}
    return {
        parts[group.name]: f"no process reads in the group {group.name}"
        for group in broker.groups
        if group.name in parts and not group.members
    }


def _without_deliver(broker: BrokerState, paths: list[dict[str, Any]] | None) -> dict[str, str]:
    """`deliver`, if there are reply paths and nobody hands on; who has no path needs none."""
    is_idle = any(group.name == readers.DELIVERY and not group.members for group in broker.groups)
    words = f"no process reads in the group {readers.DELIVERY}"
    return {"deliver": words} if is_idle and paths else {}


def _partitions(broker: BrokerState, due: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """Each partition with its oldest confirmation due: null if unknown, empty if none."""
    count = len(broker.partitions)
    oldest: dict[int, str] = {}
    for row in due or []:
        partition = partition_of(row["handset"].encode(), count)
        oldest[partition] = min(row["due"], oldest.get(partition, row["due"]))
    return [
        {
            **msgspec.structs.asdict(partition),
            "oldest_confirmation_due": None if due is None else oldest.get(partition.partition, ""),
        }
        for partition in broker.partitions
    ]
