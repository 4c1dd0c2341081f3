"""Runs the stand-in of the gateway: it takes every message, and pushes no status.

    python -m tests.hostile.peers.played_gateway FOLDER HTTP SMPP SMTP FTP

So the sender learns the fate of a command whose answer was lost only by a query.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from pipeline.clock import PipelineClock
from pipeline.gateway.gateway import Gateway
from pipeline.gateway.settings import GatewaySettings
from pipeline.gateway.world import World
from tests.hostile.lies import SECRET


async def play(folder: Path, ports: list[int]) -> None:
    """Run the stand-in until the process is killed."""
    names = ("http_port", "smpp_port", "smtp_port", "ftp_port")
    given = dict(zip(names, ports, strict=True))
    settings = GatewaySettings(
        home=folder,
        password=SECRET,
        credits=1e9,
        folder_seconds=0.2,
        **given,  # type: ignore[arg-type]
    )
    gateway = Gateway(settings, World(PipelineClock(None).now))
    gateway.all_faults.named("status-never").switch(on=True)
    await gateway.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    asyncio.run(play(Path(sys.argv[1]), [int(port) for port in sys.argv[2:]]))
