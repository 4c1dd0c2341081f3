"""Compares the tables with the oracle: the rows of the changelog and of the workers' disks."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from pipeline.conversation.tables import ASSEMBLIES, CONSENTS, REQUESTS, SEEN, TABLES
from pipeline.stages.consent import row as consent_row
from pipeline.stages.parts import reassemble

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tests.chaos.checker import Entry, Findings, Played

KIND = "tables that differ"
DUE_OCTETS = 8
POINT_KEY = b"\0"

Rows = dict[bytes, bytes]


class Change(NamedTuple):
    """A record of the changelog. Without a value the row is removed."""

    partition: int
    offset: int
    key: bytes
    value: bytes | None


class Database(NamedTuple):
    """A database on a worker's disk: rows as the changelog has them, up to one of its offsets."""

    folder: str
    partition: int
    reached: int
    rows: Rows


def rows_up_to(changes: Iterable[Change], partition: int, end: int) -> Rows:
    """The rows of a partition if its changelog ended before that offset."""
    rows: Rows = {}
    for change in changes:
        if change.partition == partition and change.offset < end:
            if change.value is None:
                rows.pop(change.key, None)
            else:
                rows[change.key] = change.value
    return rows


def check_tables(
    findings: Findings, changes: Sequence[Change], played: Played, requests: Iterable[Entry]
) -> None:
    """Compare the tables that the changelog gives with those of the oracle."""
    tables: dict[str, Rows] = {name: {} for name in TABLES}
    for partition in {change.partition for change in changes}:
        for key, value in rows_up_to(changes, partition, 1 << 62).items():
            if key[0]:
                tables[TABLES[key[0] - 1]][key[1:]] = value[DUE_OCTETS:]
    handsets = played.handsets
    parts = sum(len(handset.seen) for handset in handsets.values())
    if len(tables[SEEN]) != parts:
        findings.add(KIND, f"seen has {len(tables[SEEN])} rows, there are {parts} parts")
    _compare(
        findings,
        "request",
        Counter(tables[REQUESTS].keys()),
        Counter({entry.record.request_id.encode(): 1 for entry in requests}),
    )
    stopped = Counter(key.decode() for key, row in tables[CONSENTS].items() if _is_stopped(row))
    expected = Counter(name for name, handset in handsets.items() if handset.is_stopped)
    _compare(findings, "stop of", stopped, expected)
    waiting = Counter(
        (name, int(reference, 16), total, number)
        for name, handset in handsets.items()
        for (reference, total), slots in handset.waiting.items()
        for number in slots
    )
    _compare(findings, "part that waits", _waiting(tables[ASSEMBLIES]), waiting)


def _is_stopped(octets: bytes) -> bool:
    timelines = consent_row.consent_from_octets(octets).timelines
    newest = [max(line.published, key=lambda said: said.at) for line in timelines if line.published]
    return any(said.ours != consent_row.OPEN for said in newest)


def _waiting(rows: Rows) -> Counter[tuple[str, int, int, int]]:
    found: Counter[tuple[str, int, int, int]] = Counter()
    for key, octets in rows.items():
        handset, _, _, reference, total = msgspec.msgpack.decode(key)
        for assembly in reassemble.assemblies_from_octets(octets).open:
            found.update((handset, reference, total, part.part_number) for part in assembly.parts)
    return found


def _compare(
    findings: Findings, what: str, found: Counter[object], expected: Counter[object]
) -> None:
    for item in expected - found:
        findings.add(KIND, f"{what} {item} is missing")
    for item in found - expected:
        findings.add(KIND, f"{what} {item} is one too many")


def check_databases(
    findings: Findings, databases: Iterable[Database], changes: Sequence[Change]
) -> None:
    """Compare each database with the changelog up to the offset that the database states."""
    of: Mapping[int, list[Change]] = defaultdict(list)
    for change in changes:
        of[change.partition].append(change)
    for database in databases:
        expected = rows_up_to(of[database.partition], database.partition, database.reached)
        differ = {
            key
            for key in expected.keys() | database.rows.keys()
            if expected.get(key) != database.rows.get(key)
        }
        for key in sorted(differ):
            findings.add(KIND, f"{database.folder} at {database.reached}: row {key.hex()}")
