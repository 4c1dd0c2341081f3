"""The gateway and the application under chaos: they send, repeat until taken, and note it."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final, NamedTuple

import aiohttp
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from yarl import URL

from pipeline.avro import single_object
from pipeline.kafka import topics
from pipeline.records import MoRaw, MtRequest
from pipeline.sms.msisdn import key_from_handset
from pipeline.wire import http_form
from pipeline.wire.callback import MoCallback
from tests.chaos.checker import Sent
from tests.chaos.traffic import Ask, Repeat, Say

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from tests.chaos.traffic import Script

NUMBER: Final = "447700900100"
NUMBERS_TOML: Final = f"""
[[number]]
number = "{NUMBER}"
kind = "vmn"
api_id = "12345"
"""
GATEWAY_ZONE: Final = timezone(timedelta(hours=2))  # G8.3.1
RETRY_SECONDS: Final = 0.3
REQUEST_TIMEOUT_MS: Final = 5_000  # as ingest has it
SPEAKERS: Final = 150
STEPS_A_SPEAKER: Final = 50  # or a short run would end with many scripts under way
TEXT: Final = "Thank you, we have got your message."


class NeverTaken(RuntimeError):
    """Something was refused, or was not taken within the time."""


class Answered(NamedTuple):
    """A callback over HTTP: when the gateway first made it, and when it was answered 200."""

    handset: str
    begun: float
    at: float


class Driver:
    """Plays scripts, `rate` steps a second; the steps of one handset follow each other.

    `messages` says how many steps are wanted: as many scripts are played at a time as fit to that.
    """

    def __init__(
        self, *, ingest: str, kafka: str, messages: int, rate: float, seconds: float
    ) -> None:
        self._speakers = min(SPEAKERS, max(2, messages // STEPS_A_SPEAKER))
        self._ingest = ingest
        self._kafka = kafka
        self._rate = rate
        self._deadline = time.monotonic() + seconds
        self._began = time.monotonic()
        self._steps = 0
        self.sent = Sent()
        self.begun: dict[str, float] = {}  # when each part was first sent, by moMsgId
        self.answered: list[Answered] = []

    @property
    def steps(self) -> int:
        """How many steps have begun."""
        return self._steps

    async def run(self, scripts: Iterable[Script]) -> None:
        """Play all scripts; return when everything is acknowledged."""
        self._began = time.monotonic()
        waiting = iter(scripts)
        producer = AIOKafkaProducer(
            bootstrap_servers=self._kafka,
            acks="all",
            enable_idempotence=True,
            linger_ms=5,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
        )
        await producer.start()
        try:
            connector = aiohttp.TCPConnector(limit=SPEAKERS)
            limits = aiohttp.ClientTimeout(total=10)
            async with (
                aiohttp.ClientSession(connector=connector, timeout=limits) as http,
                asyncio.TaskGroup() as group,
            ):
                for _ in range(self._speakers):
                    group.create_task(self._speak(waiting, http, producer))
        finally:
            await producer.stop()

    async def _speak(
        self, waiting: Iterable[Script], http: aiohttp.ClientSession, producer: AIOKafkaProducer
    ) -> None:
        for script in waiting:
            way = _Http(self._ingest, http) if script.over_http else _Direct(producer)
            await _Handset(script, way, self).play()

    async def pace(self) -> None:
        """Wait for the turn of the next step."""
        self._steps += 1
        await asyncio.sleep(max(0.0, self._began + self._steps / self._rate - time.monotonic()))

    async def until_taken(self, attempt: Callable[[], Awaitable[bool]], what: str) -> None:
        """Try again, as the gateway does, until the request is acknowledged."""
        while not await attempt():
            if time.monotonic() > self._deadline:
                raise NeverTaken(what)
            await asyncio.sleep(RETRY_SECONDS)


class _Handset:
    """One handset's script under way."""

    def __init__(self, script: Script, way: _Http | _Direct, driver: Driver) -> None:
        self._script = script
        self._way = way
        self._driver = driver
        self._said: dict[str, MoCallback] = {}
        self._stopped_at = ""  # gateway time of the newest acknowledged STOP
        self._texted_at = ""  # and of the newest other text begun

    async def play(self) -> None:
        for step in self._script.steps:
            await self._driver.pace()
            match step:
                case Say():
                    await self._say(step)
                case Repeat():
                    await self._deliver(self._said[step.mo_msg_id])
                case Ask():
                    await self._ask(step)

    async def _say(self, step: Say) -> None:
        at = datetime.now(GATEWAY_ZONE) - timedelta(seconds=step.late)
        callback = MoCallback(
            handset=self._script.handset,
            number=NUMBER,
            api_id="12345",
            mo_msg_id=step.mo_msg_id,
            timestamp=f"{at:%Y-%m-%d %H:%M:%S}",
            charset=step.charset,
            udh=step.udh,
            octets=step.octets,
        )
        self._said[step.mo_msg_id] = callback
        if not step.is_stop:
            self._texted_at = max(self._texted_at, callback.timestamp)
        await self._deliver(callback)
        if step.is_stop:
            self._stopped_at = max(self._stopped_at, callback.timestamp)

    async def _deliver(self, callback: MoCallback) -> None:
        begun = time.time()
        self._driver.begun.setdefault(callback.mo_msg_id, begun)
        await self._driver.until_taken(lambda: self._way.deliver(callback), callback.mo_msg_id)
        self._driver.sent.acknowledged.add(callback.mo_msg_id)
        if self._script.over_http:
            self._driver.answered.append(Answered(self._script.handset, begun, time.time()))

    async def _ask(self, step: Ask) -> None:
        if self._stopped_at > self._texted_at:
            self._driver.sent.must_be_refused.add(step.request_id)
        handset = self._script.handset
        await self._driver.until_taken(
            lambda: self._way.ask(step.request_id, handset), step.request_id
        )
        self._driver.sent.requests.add(step.request_id)


class _Http:
    """Requests to ingest, as the gateway and an application send them."""

    def __init__(self, ingest: str, http: aiohttp.ClientSession) -> None:
        self._ingest = ingest
        self._http = http

    async def deliver(self, callback: MoCallback) -> bool:
        query = http_form.render(callback).decode("ascii")
        # As the gateway wrote it: the client must not write it anew.
        url = URL(f"{self._ingest}/mo/http?{query}", encoded=True)
        return await self._took(200, self._http.get(url))

    async def ask(self, request_id: str, handset: str) -> bool:
        body = {"to": handset, "text": TEXT, "from": NUMBER}
        headers = {"Idempotency-Key": request_id}
        return await self._took(
            202, self._http.post(f"{self._ingest}/mt", json=body, headers=headers)
        )

    @staticmethod
    async def _took(status: int, answering: aiohttp.client._RequestContextManager) -> bool:
        try:
            async with answering as answer:
                if answer.status not in (status, 503):
                    raise NeverTaken(f"{answer.status}: {await answer.text()}")
                return answer.status == status
        except (aiohttp.ClientError, TimeoutError):
            return False


class _Direct:
    """Records straight to the topics, for volume: ingest does not limit the rate then."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer

    async def deliver(self, callback: MoCallback) -> bool:
        raw = MoRaw(
            source="http",
            received_at=datetime.now(UTC),
            method="GET",
            content_type="",
            query=http_form.render(callback),
            octets=b"",
        )
        return await self._wrote(topics.MO_RAW, callback.handset, single_object.encode(raw))

    async def ask(self, request_id: str, handset: str) -> bool:
        request = MtRequest(
            request_id=request_id,
            to=f"+{handset}",
            text=TEXT,
            sender_id=NUMBER,
            requested_at=datetime.now(UTC),
        )
        return await self._wrote(topics.MT_REQUEST, handset, single_object.encode(request))

    async def _wrote(self, topic: str, handset: str, value: bytes) -> bool:
        try:
            await self._producer.send_and_wait(topic, value, key=key_from_handset(handset))
        except KafkaError:
            return False
        return True
