"""The stand-in in a process of its own, with credit enough: its urls in one line of JSON.

python -m tests.bench.played_gateway HOME PRODUCT
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from pathlib import Path

import uvloop

from pipeline.clock import PipelineClock
from pipeline.gateway.gateway import Gateway
from pipeline.gateway.settings import GatewaySettings
from pipeline.gateway.world import World


async def serve(home: Path, product: str) -> None:
    """Until killed."""
    settings = GatewaySettings(home=home, product=product, credits=1e9, folder_seconds=0.1)
    gateway = Gateway(settings, World(PipelineClock(home).now))
    await gateway.start()
    sys.stdout.write(f"{json.dumps(gateway.urls)}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)  # pyftpdlib sets up its own where there is none
    uvloop.run(serve(Path(sys.argv[1]), sys.argv[2]))
