"""`make chaos SEED=N`: kill processes at random under load, and check the results.

    python -m tests.chaos --seed 7 [--messages 100000] [--kills 20]

The last line counts the findings; the exit status is 1 unless all counts are 0.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.run import run_chaos
from tests.support.orphans import kill_orphans_of_this_run

PAUSE_SECONDS = 5.0


def say(words: str) -> None:
    """Print a line of progress."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {words}\n")
    sys.stdout.flush()


def main() -> None:
    """Run, print, and keep the home if there are findings."""
    parser = argparse.ArgumentParser(description="Kill processes at random under load.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=20)
    given = parser.parse_args()
    kill_orphans_of_this_run()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # that the broker dies is no news
    folder = Path(tempfile.mkdtemp(prefix="twoway-chaos-"))
    say(f"seed {given.seed}, home {folder / 'home'}")
    outcome = run_chaos(
        folder / "home",
        seed=given.seed,
        messages=given.messages,
        kills=given.kills,
        pause=PAUSE_SECONDS,
        say=say,
    )
    for words in (*outcome.deaths, *outcome.findings.words):
        say(words)
    stops = ", ".join(f"{count} {place}" for place, count in outcome.stops.items())
    say(f"seed {outcome.seed}, stopped beyond the session {outcome.stops.total()} times: {stops}")
    if outcome.findings.are_none:
        shutil.rmtree(folder)
    sys.stdout.write(f"{outcome}\n")
    sys.exit(0 if outcome.findings.are_none else 1)


if __name__ == "__main__":
    main()
