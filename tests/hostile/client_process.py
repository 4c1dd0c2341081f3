"""`python -m tests.hostile.client_process ftp|smpp`: a client of ours with short time-outs.

Its settings come from the environment; it prints a line for each record that it publishes.
"""

from __future__ import annotations

import hashlib
import sys
from typing import TYPE_CHECKING

import uvloop

from ingest.ftp import process as ftp
from ingest.publish.lanes import settled
from ingest.smpp import process as smpp
from ingest.smpp import session as smpp_session
from pipeline.peer import smpp as smpp_link
from pipeline.peer.ftp import bounds as ftp_bounds
from pipeline.process.log_guard import log_to_stderr
from pipeline.settings import load_settings
from pipeline.web.daemon import run_until_signalled

if TYPE_CHECKING:
    from collections.abc import Awaitable

QUICK = (0.02, 0.05)


class Printing:
    """Kafka that acknowledges everything at once."""

    is_reachable = True

    def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    def partition_of(self, topic: str, key: bytes) -> int:
        return 0

    def publish(self, topic: str, *, key: bytes | None, value: bytes) -> Awaitable[bool]:
        print(topic, hashlib.sha256(value).hexdigest(), flush=True)
        return settled(True)


async def main(name: str) -> None:
    settings = load_settings()
    log_to_stderr(settings)
    client: ftp.Poller | smpp.Receiver
    if name == "ftp":
        client = ftp.Poller(settings, publisher=Printing())
    else:
        client = smpp.Receiver(settings, publisher=Printing())
    await run_until_signalled(client.run, settings, ready=lambda: True)


if __name__ == "__main__":
    ftp_bounds.CONNECT_SECONDS = ftp_bounds.ANSWER_SECONDS = 0.5
    ftp_bounds.POLL_SECONDS = 2.0
    ftp.BACKOFF_SECONDS = smpp.BACKOFF_SECONDS = QUICK  # type: ignore[misc]
    ftp.REFUSED_SECONDS = (0.05, 0.05, 0.05)  # type: ignore[misc]
    smpp.REFUSED_SECONDS = 0.05  # type: ignore[misc]
    smpp_link.BIND_SECONDS = 0.5  # type: ignore[misc]
    smpp_session.CONFIRM_SECONDS = 0.05  # type: ignore[misc]
    uvloop.run(main(sys.argv[1]))
