"""Runs `twoway smpp` during the demo, bound to the demo's own gateway."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from pipeline.cli.demo.children import start_twoway
from pipeline.cli.demo.smsc import Smsc
from pipeline.cli.terminal.failure import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STOP_SECONDS: Final = 20
LOG_NAME: Final = "demo-smpp.log"


@contextmanager
def bound_receiver(home: Path) -> Iterator[Smsc]:
    """The gateway's side of the bind. The receiver and the gateway end with the context."""
    smsc = Smsc()
    log = home / LOG_NAME
    settings = {
        "smpp_host": "127.0.0.1",
        "smpp_port": str(smsc.port),
        "smpp_system_id": "demo",
        "smpp_tls": "off",
    }
    child = start_twoway("smpp", home=home, log=log, settings=settings)
    try:
        yield smsc
    finally:
        child.terminate()
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            raise CommandError(f"`twoway smpp` did not end, and was killed: see {log}") from None
        finally:
            smsc.close()
