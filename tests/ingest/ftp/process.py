"""The process of the poller, and the position in its checkpoint."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from tests.support.running import environment_without_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.settings import Settings


@contextmanager
def ftp_process(settings: Settings, kafka: str) -> Iterator[subprocess.Popen[bytes]]:
    """`twoway ftp`; ended in order, unless it has already ended."""
    changed = {
        each.name: str(value)
        for each in dataclasses.fields(settings)
        if (value := getattr(settings, each.name)) != each.default
    }
    with (settings.home / "ftp.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.cli.main", "ftp"],
            env=environment_without_settings(changed | {"kafka": kafka}),
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def position_in(checkpoint: Path) -> int:
    """How many octets of the log are known to be in Kafka."""
    if not checkpoint.exists():
        return 0
    body = checkpoint.read_bytes().partition(b"\n")[2]
    marks = msgspec.json.decode(body)["places"][-1]["marks"]
    return int(marks[-1]["position"]) if marks else 0
