"""`make upgrade OLD=main`: an upgrade under load from a release of git to this checkout, and back.

    python -m tests.upgrade --old main [--messages 20000] [--rate 300] [--forward-only]

The last line counts the findings; the exit status is 1 unless all counts are 0.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.support.orphans import kill_orphans_of_this_run
from tests.upgrade.releases import ROOT, unpack
from tests.upgrade.run import run_upgrade

PAUSE_SECONDS = 8.0


def say(words: str) -> None:
    """Print a line of progress."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {words}\n")
    sys.stdout.flush()


def main() -> None:
    """Run, print, and keep the folder if there are findings."""
    parser = argparse.ArgumentParser(description="Upgrade an installation under load.")
    parser.add_argument("--old", default="main", help="a tag, branch or commit")
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--rate", type=float, default=300.0)
    parser.add_argument("--forward-only", action="store_true")
    given = parser.parse_args()
    kill_orphans_of_this_run()
    folder = Path(tempfile.mkdtemp(prefix="twoway-upgrade-"))
    old = folder / "old"
    commit = unpack(given.old, old)
    say(f"from {given.old} ({commit[:12]}) to this checkout; folder {folder}")
    done = run_upgrade(
        folder / "run",
        old=old,
        new=ROOT,
        messages=given.messages,
        rate=given.rate,
        pause=PAUSE_SECONDS,
        goes_back=not given.forward_only,
        say=say,
    )
    for words in done.findings.words:
        say(words)
    if done.findings.are_none:
        shutil.rmtree(folder)
    sys.stdout.write(f"messages {done.messages}, {done.findings}\n")
    sys.exit(0 if done.findings.are_none else 1)


if __name__ == "__main__":
    main()
