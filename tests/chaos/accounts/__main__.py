"""`make chaos-accounts SEED=N`: 100,000 parts of two accounts while everything dies ten times.

    python -m tests.chaos.accounts --seed 7 [--parts 100000] [--kills 10]

The last lines count what was lost, came twice or out of order, and what does not add up; the exit
status is 1 unless all is well.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chaos.__main__ import say
from tests.chaos.accounts.run import run_chaos

PAUSE_SECONDS = 15.0


def main() -> None:
    """Run, print, and keep the home when something was found."""
    parser = argparse.ArgumentParser(description="Hold and pay while processes are killed.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--parts", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--pause", type=float, default=PAUSE_SECONDS)
    given = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # that the broker dies is no news
    folder = Path(tempfile.mkdtemp(prefix="twoway-chaos-accounts-"))
    say(f"seed {given.seed}, home {folder / 'home'}")
    outcome = run_chaos(
        folder / "home",
        seed=given.seed,
        parts=given.parts,
        kills=given.kills,
        pause=given.pause,
        say=say,
    )
    for words in outcome.faults[:20]:
        say(words)
    if outcome.is_well:
        shutil.rmtree(folder)
    sys.stdout.write(f"{outcome}\n")
    sys.exit(0 if outcome.is_well else 1)


if __name__ == "__main__":
    main()
