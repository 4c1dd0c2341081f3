"""The commands that a sender holds, in the order in which permits are asked for."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from pipeline.records import CommandState, Purpose

if TYPE_CHECKING:
    import asyncio

    from pipeline.process.tracing import Headers
    from pipeline.records import MtCommand

LaneKey = tuple[str, str, bool]


#: States after which nothing is sent.
FINAL_STATES: Final = frozenset(
    {
        CommandState.SUBMITTED.value,
        CommandState.DELIVERED.value,
        CommandState.UNDELIVERED.value,
        CommandState.FAILED.value,
        CommandState.REFUSED.value,
    }
)


class Step(Enum):
    """The step that a held command has reached."""

    QUEUED = auto()  # behind an older one of its lane, or waiting for its API
    ASKED = auto()
    CALLING = auto()  # a permit is in use
    GIVING_BACK = auto()  # its permit was not used and never will be
    TOLD = auto()  # its result is written; the worker's state is awaited
    UNKNOWN = auto()
    DONE = auto()


@dataclass(eq=False, slots=True)
class Entry:
    """A held command. Times are seconds of the monotonic clock."""

    command: MtCommand
    partition: int
    offset: int
    holder: str  # the holder in its asks: a new one each time that its partition is taken over
    step: Step = Step.QUEUED
    attempt: int = 1  # the one to ask for next
    first_asked_at: float = 0.0  # when the first ask of this attempt was acknowledged
    asked_at: float = 0.0
    ask_again_at: float = 0.0
    is_given_up: bool = False  # the partition was given up: its permit is never used
    asking: asyncio.Task[None] | None = None  # the last ask
    call: asyncio.Task[None] | None = None
    trace: Headers | None = None  # of the record of the command, where traces are on
    delays: int = 0  # how often in a row it had to wait behind another

    @property
    def lane(self) -> LaneKey:
        """The key of a queue that is sent in sequence; replies have queues of their own.

        So a command that follows a stop waits for no reply.
        """
        command = self.command
        return (command.handset, command.sender_id, command.purpose == Purpose.REPLY)


class Backlog:
    """The held commands, by id and by lane."""

    def __init__(self) -> None:
        self._by_id: dict[str, Entry] = {}
        self._lanes: dict[LaneKey, deque[Entry]] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def add(self, entry: Entry) -> bool:
        """Hold a command; return True if it is the first of its lane."""
        self._by_id[entry.command.command_id] = entry
        lane = self._lanes.setdefault(entry.lane, deque())
        lane.append(entry)
        return len(lane) == 1

    def find(self, command_id: str) -> Entry | None:
        """The held command with this id."""
        return self._by_id.get(command_id)

    def step_aside(self, entry: Entry) -> Entry | None:
        """Let the next command of the lane go on; return it if `entry` was the first."""
        lane = self._lanes.get(entry.lane)
        if lane is None or entry not in lane:
            return None
        was_first = lane[0] is entry
        lane.remove(entry)
        if not lane:
            del self._lanes[entry.lane]
            return None
        return lane[0] if was_first else None

    def back_in_front(self, entry: Entry) -> None:
        """Put a command that stepped aside back at the front of its lane."""
        lane = self._lanes.setdefault(entry.lane, deque())
        if entry not in lane:
            lane.appendleft(entry)

    def remove(self, entry: Entry) -> Entry | None:
        """Stop holding a command; return the next of its lane if it was the first."""
        self._by_id.pop(entry.command.command_id, None)
        return self.step_aside(entry)

    def of_partitions(self, partitions: set[int]) -> list[Entry]:
        """The held commands of these partitions."""
        return [entry for entry in self._by_id.values() if entry.partition in partitions]

    def entries(self) -> list[Entry]:
        """Every held command."""
        return list(self._by_id.values())
