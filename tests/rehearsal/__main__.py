"""`make rehearsal`: back up a loaded installation, restore it elsewhere, compare the answers.

    python -m tests.rehearsal [--messages 20000] [--partitions 4]

Without `--partitions` it is done twice: with as many partitions as before, and with twice as many.
The exit status is 1 if an answer differs.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos.driver import Driver
from tests.chaos.traffic import scripts
from tests.rehearsal.run import PARTITIONS, Differs, rehearse
from tests.support.orphans import kill_orphans_of_this_run

if TYPE_CHECKING:
    from tests.support.running import RunningStack

RATE = 2_000.0


def say(words: str) -> None:
    """Print progress."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {words}\n")
    sys.stdout.flush()


def main() -> None:
    """Run, and print how long each command took."""
    parser = argparse.ArgumentParser(description="Back up, restore and compare.")
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--partitions", type=int, help=f"a multiple of {PARTITIONS}")
    given = parser.parse_args()
    kill_orphans_of_this_run()

    def load(running: RunningStack) -> None:
        stack = running.stack
        driver = Driver(
            ingest=stack.ingest,
            kafka=stack.kafka,
            messages=given.messages,
            rate=RATE,
            seconds=1_800,
        )
        asyncio.run(driver.run(scripts(given.messages, seed=1)))
        say(f"{driver.steps} steps are acknowledged")

    wanted = [given.partitions] if given.partitions else [PARTITIONS, 2 * PARTITIONS]
    for partitions in wanted:
        say(f"from {PARTITIONS} partitions to {partitions}")
        with tempfile.TemporaryDirectory(prefix="twoway-rehearsal-") as folder:
            try:
                rehearse(Path(folder), load=load, say=say, partitions=partitions)
            except Differs as error:
                say(str(error))
                sys.exit(1)
        say("every answer is the same")


if __name__ == "__main__":
    main()
