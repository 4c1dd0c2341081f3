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
from pipeline.process.log_guard import log_to_stderr
from pipeline.settings import load_settings
from pipeline.web.daemon import run_until_signalled
from tests.hostile.peers.quick import QUICKEN

if TYPE_CHECKING:
    from collections.abc import Awaitable


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
    QUICKEN[sys.argv[1]]()
    uvloop.run(main(sys.argv[1]))
