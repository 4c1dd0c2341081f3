"""How large a state may be and how soon it is restored: `python -m tests.bench.state_bench`.

Tables of the size that one worker should hold, spread over partitions, on disk. Each figure has a
separate process, because Python does not return freed memory to the machine.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import multiprocessing
import random
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.engine.state.checkpoint import Checkpoints
from pipeline.engine.state.rows import Reached, StateRow
from pipeline.engine.state.state import Point, State, point_row
from pipeline.engine.state.tables import octets_from_row

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLES = ("seen", "assemblies", "consents")
VALUE_OCTETS = {"seen": 40, "assemblies": 300, "consents": 160}
IDENTITY = "bench"
NOISE = random.Random(2).randbytes(1 << 16)  # values that no compression makes small
UNIT_ROWS = 4_000
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def key_of(table: str, number: int) -> bytes:
    """A key as the table would have it: digests are random, handsets are close together."""
    if table == "consents":
        return b"27%09d" % number
    return hashlib.blake2b(number.to_bytes(8), digest_size=16).digest()


def value_of(table: str, number: int) -> bytes:
    """A row's value: different for each row, and as long as the values of that table are."""
    start = number * 31 % (len(NOISE) - VALUE_OCTETS[table])
    return NOISE[start : start + VALUE_OCTETS[table]]


def disk_mb(folder: Path) -> float:
    """The MB in the files under a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / (1 << 20)


def resident_mb() -> float:
    """The MB of memory that this process holds now."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmRSS")


def fill(state: State, table: str, first: int, last: int) -> None:
    """Put rows in units of work; each put looks for the row that it replaces."""
    for start in range(first, last, UNIT_ROWS):
        for number in range(start, min(start + UNIT_ROWS, last)):
            key = key_of(table, number)
            due_at = NOON + timedelta(seconds=number % 604_800)
            state.tables[table].put(key, value_of(table, number), due_at=due_at)
        sequence = state.point.sequence + 1
        state.apply(Point(sequence, NOON, {"mo-raw": start}), reached=Reached(sequence, 1))


def measure(folder: Path, sizes: dict[str, int], partitions: int) -> dict[str, float]:
    """Fill the tables of every partition, then read at random: rows a second and memory."""
    checkpoints = Checkpoints(folder)
    states = [State(TABLES, checkpoints.open(p, identity=IDENTITY)) for p in range(partitions)]
    began = time.monotonic()
    peak = 0.0
    for table, rows in sizes.items():
        share = rows // partitions
        for partition, state in enumerate(states):
            fill(state, table, partition * share, (partition + 1) * share)
            peak = max(peak, resident_mb())
    put = time.monotonic() - began
    picks = random.Random(1)
    reads = min(100_000, sum(sizes.values()))
    began = time.monotonic()
    for _ in range(reads):
        table = picks.choice(TABLES)
        share = max(1, sizes[table] // partitions)
        partition = picks.randrange(partitions)
        number = partition * share + picks.randrange(share)
        if states[partition].tables[table].get(key_of(table, number)) != value_of(table, number):
            raise RuntimeError(f"row {number} of {table} is lost or wrong")
    got = time.monotonic() - began
    peak = max(peak, resident_mb())
    began = time.monotonic()
    due = sum(len(state.tables["seen"].due(NOON + timedelta(seconds=60))) for state in states)
    found = time.monotonic() - began
    for state in states:
        state.rows.close()
    checkpoints.close()
    total = sum(sizes.values())
    return {
        "rows": total,
        "put, rows/s": total / put,
        "read at random, rows/s": reads / got,
        "rows found due": due,
        "ms to find them": found * 1000,
        "peak RSS, MB": peak,
        "on disk, MB": disk_mb(folder),
    }


def reopen(folder: Path, partitions: int) -> dict[str, float]:
    """From a checkpoint: open every partition and read one row."""
    began = time.monotonic()
    checkpoints = Checkpoints(folder)
    states = [State(TABLES, checkpoints.open(p, identity=IDENTITY)) for p in range(partitions)]
    for state in states:
        state.tables["seen"].get(b"x")
    took = time.monotonic() - began
    rows = sum(sum(state.sizes().values()) for state in states)
    for state in states:
        state.rows.close()
    checkpoints.close()
    return {"reopened rows": rows, "reopened in, s": took}


def changelog_rows(count: int) -> Iterator[list[tuple[bytes, bytes]]]:
    """The rows of a changelog, in batches as a fetch brings them."""
    value = octets_from_row(StateRow(bytes(VALUE_OCTETS["consents"])))
    for start in range(0, count, UNIT_ROWS):
        rows = [(b"\x03" + key_of("consents", n), value) for n in range(start, start + UNIT_ROWS)]
        yield [*rows, point_row(Point(start + 1))]


def rebuild(folder: Path, keys: int) -> dict[str, float]:
    """Changelog rows a second that the database stores; reading the changelog does not count."""
    checkpoints = Checkpoints(folder)
    state = State(TABLES, checkpoints.open(0, identity=IDENTITY))
    batches = list(changelog_rows(keys))
    gc.freeze()
    began = time.monotonic()
    for number, rows in enumerate(batches, 1):
        state.restore(rows, reached=Reached(number, 1))
    took = time.monotonic() - began
    state.rows.close()
    checkpoints.close()
    return {"changelog keys": keys, "written in, s": took}


def run(sizes: dict[str, int], *, partitions: int, keys: int) -> dict[str, float]:
    """All figures, each in a separate process."""
    figures: dict[str, float] = {}
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as home:
        steps = [
            (measure, (Path(home) / "large", sizes, partitions)),
            (reopen, (Path(home) / "large", partitions)),
            (rebuild, (Path(home) / "rebuilt", keys)),
        ]
        for step, given in steps:
            with context.Pool(1) as pool:
                figures |= pool.apply(step, given)
    return figures


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--seen", type=int, default=10_000_000)
    words.add_argument("--assemblies", type=int, default=1_000_000)
    words.add_argument("--consents", type=int, default=5_000_000)
    words.add_argument("--partitions", type=int, default=12)
    words.add_argument("--keys", type=int, default=1_000_000)
    given = words.parse_args()
    sizes = {table: getattr(given, table) for table in TABLES}
    figures = run(sizes, partitions=given.partitions, keys=given.keys)
    print(json.dumps({name: round(figure, 3) for name, figure in figures.items()}, indent=1))


if __name__ == "__main__":
    main()
