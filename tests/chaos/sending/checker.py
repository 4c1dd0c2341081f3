"""What must hold for the messages at the gateway, checked from records alone, without our stages.

A finding is a kind and words. Times are seconds since 1970 by the one clock of this machine. Where
the clock of the stack was advanced, the broker's time of the record counts instead.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tests.chaos.checker import Findings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tests.chaos.checker import Entry
    from tests.chaos.sending.driver import Log

KINDS: Final = (
    "doubled",
    "out of order",
    "sent after a stop",
    "not ended",
    "arrived and said to have failed",
    "not arrived and said to be taken",
    "wrong",
    "states that differ",
    "in a log",
)
#: An MT leaves no later after its look at consent.
PERMIT_SECONDS: Final = 10.0
#: From an octet's leave until a gateway on a busy machine has read and noted it.
READING_SECONDS: Final = 1.5
ENDED: Final = frozenset({"submitted", "delivered", "undelivered", "failed", "refused", "unknown"})
TAKEN: Final = frozenset({"submitted", "delivered", "undelivered"})
NEVER_SENT: Final = frozenset({"failed", "refused"})


class Arrival(NamedTuple):
    """A message or a part, as the gateway noted it."""

    at: float
    fate: str
    way: str
    handset: str
    sender_id: str
    text: str
    command_id: str = ""
    part: int = 1
    parts: int = 1

    @property
    def is_taken(self) -> bool:
        return self.fate in ("taken", "lost")


@dataclass
class Records:
    """The records of the topics: commands in order, and the worker's states of each command."""

    commands: list[Any]
    states: dict[str, list[Entry]]

    @classmethod
    def from_entries(cls, commands: Iterable[Entry], states: Iterable[Entry]) -> Records:
        ordered = sorted(commands, key=lambda entry: (entry.partition, entry.offset))
        said: dict[str, list[Entry]] = defaultdict(list)
        for entry in sorted(states, key=lambda entry: (entry.partition, entry.offset)):
            said[entry.record.command_id].append(entry)
        return cls([entry.record for entry in ordered], said)

    def was_unknown(self, command_id: str) -> bool:
        """Whether the command was unknown at any time."""
        return any(entry.record.state == "unknown" for entry in self.states.get(command_id, ()))

    def last(self, command_id: str) -> str:
        """The last state; empty if there is none."""
        said = self.states.get(command_id)
        return said[-1].record.state if said else ""


def check(
    records: Records, arrivals: Sequence[Arrival], log: Log, seen: Mapping[str, Mapping[str, str]]
) -> Findings:
    """Every finding. `seen`: for each observer, the states by command_id."""
    findings = Findings(kinds=KINDS)
    by_command = joined(findings, records, arrivals)
    _check_each_once(findings, records, by_command)
    _check_order(findings, records, by_command)
    _check_stops(findings, records, by_command, log)
    _check_ends(findings, records, by_command, log)
    for who, states in seen.items():
        for command_id in records.states:
            if (said := states.get(command_id, "nothing")) != records.last(command_id):
                words = f"{command_id}: {who} has {said}, not {records.last(command_id)}"
                findings.add("states that differ", words)
    return findings


def joined(
    findings: Findings, records: Records, arrivals: Iterable[Arrival]
) -> dict[str, list[Arrival]]:
    """The arrivals of each command; without cliMsgId by handset, sender ID and text.

    Nothing distinguishes commands of one text to one handset. An arrival belongs to the first of
    them that has no such part yet, or to the last if all have one.
    """
    named = {command.command_id: command for command in records.commands}
    by_pair: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for command in records.commands:
        by_pair[command.handset, command.sender_id].append(command)
    found: dict[str, list[Arrival]] = defaultdict(list)
    for arrival in arrivals:
        if arrival.command_id:
            command = named.get(arrival.command_id)
        else:
            pair = by_pair[arrival.handset, arrival.sender_id]
            fitting = [one for one in pair if arrival.text in one.text]
            free = [one for one in fitting if not _has(found[one.command_id], arrival.part)]
            command = (free or fitting[-1:] or [None])[0]
        if command is None:
            findings.add("wrong", f"nobody asked for what arrived by {arrival.way}")
            continue
        _check_octets(findings, command, arrival)
        found[command.command_id].append(arrival)
    return found


def _has(arrived: Iterable[Arrival], part: int) -> bool:
    return any(arrival.is_taken and arrival.part == part for arrival in arrived)


def _check_octets(findings: Findings, command: Any, arrival: Arrival) -> None:
    given = (arrival.handset, arrival.sender_id)
    if given != (command.handset, command.sender_id):
        findings.add("wrong", f"{command.command_id} has another handset or sender ID")
    if arrival.parts == 1 and arrival.text != command.text:
        findings.add("wrong", f"{command.command_id} has another text")


def _check_each_once(
    findings: Findings, records: Records, by_command: Mapping[str, list[Arrival]]
) -> None:
    """A part is taken once, and a refused command never again, unless its fate was unknown."""
    for command_id, arrived in by_command.items():
        parts = Counter(arrival.part for arrival in arrived if arrival.is_taken)
        for part, count in parts.items():
            if count > 1:
                findings.add("doubled", f"{command_id}, part {part}: {count} times")
        if records.was_unknown(command_id):
            continue
        gone = False
        for arrival in sorted(arrived):
            if gone:
                findings.add("doubled", f"{command_id} came again after it was refused for good")
            gone = gone or arrival.fate == "refused"


def _check_order(
    findings: Findings, records: Records, by_command: Mapping[str, list[Arrival]]
) -> None:
    """Replies of one handset and sender ID keep their order; an unknown one blocks none."""
    lanes: dict[tuple[str, str], list[tuple[float, str]]] = defaultdict(list)
    for command in records.commands:
        was_unknown = records.was_unknown(command.command_id)
        taken = [a.at for a in by_command.get(command.command_id, ()) if a.is_taken]
        if command.purpose == "reply" and taken and not was_unknown:
            lane = (command.handset, command.sender_id)
            lanes[lane].append((min(taken), command.command_id))
    for lane in lanes.values():
        for (before, first), (after, second) in pairwise(lane):
            if before > after:
                findings.add("out of order", f"{second} arrived before {first}")


def _check_stops(
    findings: Findings,
    records: Records,
    by_command: Mapping[str, list[Arrival]],
    log: Log,
) -> None:
    stops = defaultdict(list)
    for stop in log.stops:
        stops[stop.handset, stop.number].append(stop)
    for command in records.commands:
        said = records.states.get(command.command_id, ())
        permits = [_permit(entry) for entry in said if entry.record.state == "permitted"]
        for arrival in by_command.get(command.command_id, ()):
            looks = [look for look, at in permits if at <= arrival.at + READING_SECONDS]
            if not looks:
                findings.add("wrong", f"{command.command_id} arrived without a permit")
                continue
            if command.purpose != "reply":
                continue
            look = looks[-1]
            for stop in stops[command.handset, command.sender_id]:
                words = f"{command.command_id}: looked {look - stop.acknowledged:+.1f} s, arrived "
                words += f"{arrival.at - stop.acknowledged:+.1f} s after a STOP was acknowledged"
                is_behind = stop.acknowledged < look < stop.until
                is_late = (
                    look < stop.acknowledged < arrival.at
                    and arrival.at - look > PERMIT_SECONDS + READING_SECONDS
                )
                if is_behind or is_late:
                    findings.add("sent after a stop", words)


def _permit(entry: Entry) -> tuple[float, float]:
    """When consent was checked, and when the permit was written, by the broker's clock."""
    written = entry.timestamp / 1000
    return min(entry.record.consent_asked_at.timestamp(), written), written


def _check_ends(
    findings: Findings,
    records: Records,
    by_command: Mapping[str, list[Arrival]],
    log: Log,
) -> None:
    asked = {command.request_id for command in records.commands if command.purpose == "reply"}
    for request_id in asked - log.asked.keys():
        findings.add("wrong", f"a command of {request_id}, which was not acknowledged")
    for command in records.commands:
        command_id, state = command.command_id, records.last(command.command_id)
        arrived = [each for each in by_command.get(command_id, ()) if each.is_taken]
        are_all_there = len({each.part for each in arrived}) == max(
            (each.parts for each in arrived), default=1
        )
        if state not in ENDED:
            findings.add("not ended", f"{command_id} is {state or 'never spoken of'}")
        if arrived and are_all_there and state in NEVER_SENT:
            findings.add("arrived and said to have failed", f"{command_id} is {state}")
        if state in TAKEN and not (arrived and are_all_there):
            findings.add("not arrived and said to be taken", f"{command_id} is {state}")
