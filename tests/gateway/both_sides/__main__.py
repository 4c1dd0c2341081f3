"""Plays COUNT worlds from seed FIRST on: `python -m tests.gateway.both_sides 10000 [FIRST]`."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.gateway.both_sides.world import World


async def play(first: int, count: int, home: Path) -> Counter[str]:
    """Play the worlds; return how often both sides agreed, and why they did not."""
    counts: Counter[str] = Counter()
    for seed in range(first, first + count):
        world = World(seed, home)
        try:
            await world.play()
        except AssertionError as error:
            raise AssertionError(f"world {seed}: {error}") from error
        counts += world.comparison.counts
    return counts


def main() -> None:
    """Play the worlds; print the counts, and each world in which both sides disagreed."""
    count, first = (*map(int, sys.argv[1:3]), 0)[:2]
    counts: Counter[str] = Counter()
    failed = 0
    with tempfile.TemporaryDirectory(prefix="twoway-both-sides-") as home:
        for seed in range(first, first + count):
            try:
                counts += asyncio.run(play(seed, 1, Path(home)))
            except AssertionError as error:
                failed += 1
                sys.stdout.write(f"{error}\n\n")
            if (seed + 1 - first) % 100 == 0:
                sys.stdout.write(f"{seed + 1 - first:,} worlds\n")
                sys.stdout.flush()
    for why, how_often in counts.most_common():
        sys.stdout.write(f"{how_often:>11,} {why}\n")
    sys.stdout.write(f"{count - failed:,} of {count:,} worlds\n")
    raise SystemExit(bool(failed))


if __name__ == "__main__":
    main()
