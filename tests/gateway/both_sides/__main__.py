"""Play so many worlds: `python -m tests.gateway.both_sides 10000 [FIRST]`."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.gateway.both_sides.world import World


async def play(first: int, count: int, home: Path) -> Counter[str]:
    """How often both sides were the same, and why they were not."""
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
    """Play, and print what was counted."""
    count, first = (*map(int, sys.argv[1:3]), 0, 0)[:2]
    with tempfile.TemporaryDirectory(prefix="twoway-both-sides-") as home:
        counts = asyncio.run(play(first, count or 1000, Path(home)))
    for why, how_often in counts.most_common():
        sys.stdout.write(f"{how_often:>9,} {why}\n")


if __name__ == "__main__":
    main()
