"""The application asks for MTs through ingest, and handsets stop and open again, by a seed."""

from __future__ import annotations

import asyncio
import math
import random
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlencode

import aiohttp

from tests.chaos.driver import GATEWAY_ZONE, NeverTaken
from tests.chaos.sending.places import API_IDS, NUMBERS, WAY_OF

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RETRY_SECONDS: Final = 0.3
SPEAKERS: Final = 60
REQUESTS_A_SPEAKER: Final = 20  # or a short run would end with many conversations under way
PLAIN: Final = "Your order {tag} is on its way to you."
LATIN: Final = "Cette commande {tag} coûte £5, señor."
WIDE: Final = "{tag} شكرا طلبي في الطريق"
LONG: Final = "Order {tag} goes out in more than a single message. "
TEXTS: Final = (PLAIN, LATIN, WIDE, (LONG * 4).strip())
#: What a log must not have of any text.
KEYS: Final = tuple(text.partition("{tag}")[2].strip() for text in (PLAIN, LATIN, WIDE, LONG))


class Ask(NamedTuple):
    """The application asks for an MT."""

    request_id: str
    text: str


class Says(NamedTuple):
    """The handset sends a text."""

    mo_msg_id: str
    text: str


@dataclass(frozen=True)
class Conversation:
    """One handset with one number of ours."""

    handset: str
    number: str
    steps: Sequence[Ask | Says]


class Stop(NamedTuple):
    """From the acknowledgement of a stop to the beginning of the next text, by one clock."""

    handset: str
    number: str
    acknowledged: float
    until: float


@dataclass
class Log:
    """What was acknowledged."""

    asked: dict[str, str] = field(default_factory=dict)  # texts by request_id
    stops: list[Stop] = field(default_factory=list)


def conversations(count: int, *, seed: int) -> Iterator[Conversation]:
    """Conversations with at least `count` requests in all, by each way in turn."""
    rng = random.Random(seed)
    asked = number = 0
    numbers = list(NUMBERS.values())
    while asked < count:
        number += 1
        tag = f"Q{number:07d}"
        steps = list(_steps(rng, tag, rng.randint(4, 12)))
        asked += sum(isinstance(step, Ask) for step in steps)
        yield Conversation(f"4478{number:08d}", numbers[number % len(numbers)], steps)


def _steps(rng: random.Random, tag: str, length: int) -> Iterator[Ask | Says]:
    is_stopped = False
    for number in range(length):
        name = f"{tag}{number:03d}"
        if is_stopped:
            is_stopped = False
            yield Says(name, "hello again")
        elif number and rng.random() < 0.12:
            is_stopped = number + 1 < length
            yield Says(name, "STOP")
        else:
            text = rng.choice(TEXTS).format(tag=name)
            yield Ask(f"{name}ask", text)


class Driver:
    """Plays conversations, `rate` steps a second, the steps of one conversation in sequence."""

    def __init__(self, *, ingest: str, commands: int, rate: float, seconds: float) -> None:
        self._speakers = min(SPEAKERS, max(2, commands // REQUESTS_A_SPEAKER))
        self._ingest = ingest
        self._rate = rate
        self._deadline = time.monotonic() + seconds
        self._began = time.monotonic()
        self.steps = 0
        self.asked = 0
        self.log = Log()

    async def run(self, planned: Iterator[Conversation]) -> None:
        """Play all; return when everything is acknowledged."""
        self._began = time.monotonic()
        limits = aiohttp.ClientTimeout(total=10)
        async with aiohttp.ClientSession(timeout=limits) as http, asyncio.TaskGroup() as group:
            for _ in range(self._speakers):
                group.create_task(self._speak(planned, http))

    async def _speak(self, planned: Iterator[Conversation], http: aiohttp.ClientSession) -> None:
        for conversation in planned:
            second = 0  # of the text said last: the gateway's time has no parts of one
            stopped_at = 0.0
            for step in conversation.steps:
                self.steps += 1
                turn = self._began + self.steps / self._rate
                await asyncio.sleep(max(0.0, turn - time.monotonic()))
                if isinstance(step, Ask):
                    await self._ask(conversation, step, http)
                    continue
                await asyncio.sleep(max(0.0, second + 1 - time.time()))
                begun = time.time()
                second = int(begun)
                if stopped_at:
                    self._stopped(conversation, stopped_at, begun)
                await self._say(conversation, step, second, http)
                stopped_at = time.time() if step.text == "STOP" else 0.0
            if stopped_at:
                self._stopped(conversation, stopped_at, math.inf)

    def _stopped(self, conversation: Conversation, since: float, until: float) -> None:
        stop = Stop(conversation.handset, conversation.number, since, until)
        self.log.stops.append(stop)

    async def _ask(
        self, conversation: Conversation, step: Ask, http: aiohttp.ClientSession
    ) -> None:
        body = {"to": conversation.handset, "text": step.text, "from": conversation.number}
        headers = {"Idempotency-Key": step.request_id}
        while not await self._took(
            202, http.post(f"{self._ingest}/mt", json=body, headers=headers)
        ):
            await self._again(step.request_id)
        self.asked += 1
        self.log.asked[step.request_id] = step.text

    async def _say(
        self, conversation: Conversation, step: Says, second: int, http: aiohttp.ClientSession
    ) -> None:
        form = urlencode(
            {
                "api_id": API_IDS[WAY_OF[conversation.number]],
                "from": conversation.handset,
                "to": conversation.number,
                "timestamp": f"{datetime.fromtimestamp(second, GATEWAY_ZONE):%Y-%m-%d %H:%M:%S}",
                "text": step.text,
                "charset": "ISO-8859-1",
                "moMsgId": step.mo_msg_id,
            }
        )
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        while not await self._took(
            200, http.post(f"{self._ingest}/mo/http", data=form, headers=headers)
        ):
            await self._again(step.mo_msg_id)

    async def _again(self, what: str) -> None:
        if time.monotonic() > self._deadline:
            raise NeverTaken(what)
        await asyncio.sleep(RETRY_SECONDS)

    @staticmethod
    async def _took(status: int, answering: aiohttp.client._RequestContextManager) -> bool:
        try:
            async with answering as answer:
                if answer.status not in (status, 503):
                    raise NeverTaken(f"{answer.status}: {await answer.text()}")
                return answer.status == status
        except (aiohttp.ClientError, TimeoutError):
            return False
