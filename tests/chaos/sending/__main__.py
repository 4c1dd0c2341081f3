"""`make chaos-sending SEED=N`: 10,000 commands by six ways, while senders, worker and broker die.

    python -m tests.chaos.sending --seed 7 [--commands 10000] [--kills 10]

Prints what was tried and the outcome. The last line counts the findings; the exit status is 1
unless all counts are 0.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chaos.__main__ import say
from tests.chaos.sending.run import run_chaos

PAUSE_SECONDS = 20.0


def main() -> None:
    """Run, print, and keep the home if there are findings."""
    parser = argparse.ArgumentParser(description="Send while processes are killed.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--commands", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--pause", type=float, default=PAUSE_SECONDS)
    given = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # that the broker dies is no news
    folder = Path(tempfile.mkdtemp(prefix="twoway-chaos-sending-"))
    say(f"seed {given.seed}, home {folder / 'home'}")
    outcome = run_chaos(
        folder / "home",
        seed=given.seed,
        commands=given.commands,
        kills=given.kills,
        pause=given.pause,
        say=say,
    )
    for words in (*outcome.deaths, *outcome.findings.words):
        say(words)
    if outcome.findings.are_none:
        shutil.rmtree(folder)
    sys.stdout.write(f"{outcome}\n")
    sys.exit(0 if outcome.findings.are_none else 1)


if __name__ == "__main__":
    main()
