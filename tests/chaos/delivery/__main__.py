"""`make chaos-delivery SEED=N`: 20,000 deliveries while everything dies ten times.

    python -m tests.chaos.delivery --seed 7 [--messages 20000] [--kills 10]

The last line counts what was lost and what came twice; the exit status is 1 unless all is well.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chaos.__main__ import say
from tests.chaos.delivery.run import run_chaos

PAUSE_SECONDS = 15.0


def main() -> None:
    """Run, print, and keep the home when something was found."""
    parser = argparse.ArgumentParser(description="Hand on while processes are killed.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--pause", type=float, default=PAUSE_SECONDS)
    given = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # that the broker dies is no news
    folder = Path(tempfile.mkdtemp(prefix="twoway-chaos-delivery-"))
    say(f"seed {given.seed}, home {folder / 'home'}")
    outcome = run_chaos(
        folder / "home",
        seed=given.seed,
        messages=given.messages,
        kills=given.kills,
        pause=given.pause,
        say=say,
    )
    if outcome.is_well:
        shutil.rmtree(folder)
    sys.stdout.write(f"{outcome}\n")
    sys.exit(0 if outcome.is_well else 1)


if __name__ == "__main__":
    main()
