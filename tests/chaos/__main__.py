"""`make chaos SEED=N`: kill processes at random under load, and check the results.

    python -m tests.chaos --seed 7 [--messages 100000] [--kills 20]
    python -m tests.chaos --seed 7 --brokers 3

With three brokers, brokers are lost instead: killed, stopped, cut off, without their disk or with a
full one. A table then says how long each kind of loss was felt.

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
from typing import TYPE_CHECKING

from tests.chaos.brokers.run import run_chaos_on_brokers
from tests.chaos.run import run_chaos
from tests.support.orphans import kill_orphans_of_this_run

if TYPE_CHECKING:
    from tests.chaos.run import Outcome

PAUSE_SECONDS = 5.0
BROKER_PAUSE_SECONDS = 30.0  # until three are in sync again


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
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=1)
    given = parser.parse_args()
    kill_orphans_of_this_run()
    for library in ("aiokafka", "kafka"):
        logging.getLogger(library).setLevel(logging.CRITICAL)  # that the broker dies is no news
    folder = Path(tempfile.mkdtemp(prefix="twoway-chaos-"))
    say(f"seed {given.seed}, home {folder / 'home'}")
    outcome = _on_three(given, folder) if given.brokers == 3 else _on_one(given, folder)
    for words in (*outcome.deaths, *outcome.findings.words):
        say(words)
    stops = ", ".join(f"{count} {place}" for place, count in outcome.stops.items())
    say(f"seed {outcome.seed}, {outcome.stops.total()} times a fault that lasts: {stops}")
    if outcome.findings.are_none:
        shutil.rmtree(folder)
    sys.stdout.write(f"{outcome}\n")
    sys.exit(0 if outcome.findings.are_none else 1)


def _on_one(given: argparse.Namespace, folder: Path) -> Outcome:
    return run_chaos(
        folder / "home",
        seed=given.seed,
        messages=given.messages,
        kills=given.kills,
        pause=PAUSE_SECONDS,
        say=say,
    )


def _on_three(given: argparse.Namespace, folder: Path) -> Outcome:
    ended = run_chaos_on_brokers(
        folder / "home",
        seed=given.seed,
        messages=given.messages,
        losses=given.kills,
        pause=BROKER_PAUSE_SECONDS,
        say=say,
    )
    sys.stdout.write("".join(f"{line}\n" for line in ended.table))
    return ended.outcome


if __name__ == "__main__":
    main()
