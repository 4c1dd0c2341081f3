"""The gateway's statuses: some are sent twice, some out of order, some before the answer."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import aiohttp

from tests.chaos.sending.places import API_IDS

if TYPE_CHECKING:
    from tests.chaos.sending.gateway.till import Fate, Message

TOLD: Final = 0.5  # of the messages
RETRY_SECONDS: Final = 0.5
_SOAP: Final = (
    "<SOAP-ENV:Envelope xmlns:SOAP-ENV='http://schemas.xmlsoap.org/soap/envelope/'>"
    "<SOAP-ENV:Body><tns:mt_callback xmlns:tns='soap.clickatell.com'>{}</tns:mt_callback>"
    "</SOAP-ENV:Body></SOAP-ENV:Envelope>"
)


class Statuses:
    """Sends statuses to ingest until they are taken; begins when it knows the address of ingest."""

    def __init__(self, *, seed: int) -> None:
        self._rng = random.Random(seed)
        self._loop = asyncio.get_running_loop()
        self._ingest: asyncio.Future[str] = self._loop.create_future()
        self._tasks: set[asyncio.Task[None]] = set()
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
        self.told = 0

    @property
    def under_way(self) -> int:
        """The messages with statuses that ingest has not taken yet."""
        return len(self._tasks)

    def begin(self, ingest: str) -> None:
        if not self._ingest.done():
            self._ingest.set_result(ingest)

    def tell(self, message: Message, fate: Fate) -> None:
        """Send the statuses of a message; may be called from any thread."""
        self._loop.call_soon_threadsafe(self._tell, message, fate)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self._http.close()

    def _tell(self, message: Message, fate: Fate) -> None:
        if message.way == "smpp" or self._rng.random() > TOLD:
            return
        statuses = ["003", self._rng.choice(("004", "004", "004", "007"))]
        again = [self._rng.choice(statuses)] if self._rng.random() < 0.3 else []
        planned = statuses + again
        if self._rng.random() < 0.3:
            self._rng.shuffle(planned)
        waits = 0.0 if fate.before_answer else fate.seconds + self._rng.uniform(0, 1.0)
        task = self._loop.create_task(self._tell_all(message, fate, planned, waits))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell_all(
        self, message: Message, fate: Fate, statuses: list[str], seconds: float
    ) -> None:
        ingest = await asyncio.shield(self._ingest)
        await asyncio.sleep(seconds)
        for status in statuses:
            fields = {
                "api_id": API_IDS[message.way],
                "apiMsgId": fate.gateway_id,
                "cliMsgId": message.command_id,
                "to": message.handset,
                "timestamp": str(int(time.time())),
                "from": message.sender_id,
                "status": status,
                "charge": "0.333333",
            }
            while not await self._took(ingest, message.way, fields):  # noqa: ASYNC110 - none tells
                await asyncio.sleep(RETRY_SECONDS)
            self.told += 1

    async def _took(self, ingest: str, way: str, fields: dict[str, str]) -> bool:
        inside = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
        if way == "xml":
            name, body = "xml", urlencode({"data": f"<callback>{inside}</callback>"})
        elif way == "soap":
            name, body = "soap", urlencode({"data": _SOAP.format(inside)})
        else:
            name, body = "http", urlencode(fields)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        address = f"{ingest}/status/{name}"
        try:
            async with self._http.post(address, data=body, headers=headers) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False
