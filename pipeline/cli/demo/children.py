"""Runs other `twoway` commands for the demo, without the TWOWAY_* settings of the caller."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from pipeline.cli.terminal.failure import CommandError

if TYPE_CHECKING:
    from pathlib import Path

RUN_SECONDS: Final = 60


def start_twoway(*words: str, home: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start `twoway *words` in its own session, so that Ctrl-C reaches only us; log to `log`."""
    with log.open("wb") as output:
        return subprocess.Popen(  # noqa: S603  our own command line
            _command_line(*words, home=home),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=_environment(),
            start_new_session=True,
        )


def run_twoway(*words: str, home: Path) -> str:
    """What `twoway *words` prints; raises `CommandError` with its stderr when it fails."""
    done = subprocess.run(  # noqa: S603  our own command line
        _command_line(*words, home=home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=_environment(),
        timeout=RUN_SECONDS,
        check=False,
    )
    if done.returncode:
        raise CommandError(f"`twoway {words[0]}` failed: {' '.join(done.stderr.split())}")
    return done.stdout


def _command_line(*words: str, home: Path) -> list[str]:
    return [sys.executable, "-P", "-m", "pipeline.cli.main", *words, "--home", str(home)]


def _environment() -> dict[str, str]:
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("TWOWAY_")}
    return inherited | {"PYTHONUNBUFFERED": "1"}
