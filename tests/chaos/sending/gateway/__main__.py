"""The gateway in a separate process, which is never killed.

    python -m tests.chaos.sending.gateway FOLDER SEED

Writes FOLDER/ports.json when it listens, and FOLDER/arrived.jsonl from then on.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from pathlib import Path

from aiohttp import web

from tests.chaos.sending.gateway.handed import Files, Mail
from tests.chaos.sending.gateway.smsc import Smsc
from tests.chaos.sending.gateway.statuses import Statuses
from tests.chaos.sending.gateway.till import Fate, Message, Till
from tests.chaos.sending.gateway.web import application
from tests.chaos.sending.places import ARRIVED, FTP_PASSWORD, FTP_USER, PORTS


async def serve(folder: Path, seed: int) -> None:
    """Serve until the process ends."""
    statuses, smsc = Statuses(seed=seed), Smsc(seed=seed)

    def told(message: Message, fate: Fate) -> None:
        (smsc if message.way == "smpp" else statuses).tell(message, fate)

    till = Till(folder / ARRIVED, seed=seed, told=told)
    smsc.till = till
    runner = web.AppRunner(application(till, statuses), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    mail = await asyncio.start_server(Mail(till).connected, "127.0.0.1", 0)
    smpp = await asyncio.start_server(smsc.connected, "127.0.0.1", 0)
    files = Files(till, folder / "files", user=FTP_USER, password=FTP_PASSWORD)
    web_port = runner.addresses[0][1]
    ports = {"http": web_port, "xml": web_port, "soap": web_port, "ftp": files.port}
    ports["smtp"] = mail.sockets[0].getsockname()[1]
    ports["smpp"] = smpp.sockets[0].getsockname()[1]
    partial = folder / f"{PORTS}.part"
    partial.write_text(json.dumps(ports))
    partial.replace(folder / PORTS)
    await asyncio.Event().wait()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
