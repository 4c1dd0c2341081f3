"""Commands a second that one `twoway sender` sends, and the latency from decision to sending.

    python -m tests.bench --only sender
    python -m tests.bench.sender_bench [WAY …]

Broker, worker, and a gateway that takes 50 ms for every answer are on the same machine. Beside the
sender, for each way: our client alone, fed from a list with the same window, and a client that is
not ours.
"""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import tempfile
import time
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Final

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from pipeline.avro import single_object
from pipeline.cli.local.kafka import LocalKafka
from pipeline.kafka import topics
from pipeline.kafka.admin import create_topics
from pipeline.records import MtCommand, MtRequest, Outcome
from pipeline.sender.apis.api import WayName
from pipeline.sender.apis.file import apis_from_file
from pipeline.sender.way import Submission
from pipeline.sender.ways.make import way_of
from pipeline.settings import Settings
from pipeline.sms.msisdn import key_from_handset
from tests.bench.latency_bench import percentiles
from tests.bench.pipeline_bench import process, publish
from tests.bench.sender.outside import NAMES, one_after_another, send_by_others
from tests.bench.smpp_bench import processor_seconds
from tests.bench.traffic import NUMBER, directory

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence

    from pipeline.sender.apis.api import Api

PARTITIONS: Final = 12  # as an installation has them
#: Commands of each run.
COMMANDS: Final = {
    WayName.HTTP: 6_000,
    WayName.XML: 5_000,
    WayName.SOAP: 5_000,
    WayName.SMPP: 12_000,
    WayName.SMTP: 1_500,
    WayName.FTP: 500,
}
#: Of the commands, the share before counting begins.
WARM_UP: Final = 0.2
RATE: Final = 50
RATE_SECONDS: Final = {"just started": 10, "then": 30}
SECONDS: Final = 180.0
SECRET: Final = "bench-pw"  # of a gateway on loopback
WORKER: Final = ("-m", "pipeline.cli.main", "worker")
_SETTINGS: Final = {"partitions": str(PARTITIONS)}
SENDER: Final = ("-m", "pipeline.cli.main", "sender")


@dataclass(frozen=True)
class Pace:
    """Commands a second, and the processor seconds that the client takes for each command."""

    rate: float
    busy: float

    def __str__(self) -> str:
        return f"{self.rate:,.0f} commands/s, {1e6 * self.busy:,.0f} µs of processor time each"


@dataclass(frozen=True)
class Gateway:
    """A counterpart, and the API that leads to it."""

    api: Api
    home: Path
    log: Path

    def came(self) -> list[tuple[float, str]]:
        """What came, and when."""
        lines = self.log.read_text().split("\n")[:-1]
        return [(float(at), command_id) for at, _, command_id in (x.partition(" ") for x in lines)]


@contextmanager
def gateway(way: WayName, home: Path) -> Iterator[Gateway]:
    """A counterpart in a separate process; `apis.toml` in `home` leads to it."""
    home.mkdir(parents=True)
    log, file = home / "came.log", home / "apis.toml"
    log.touch()
    words = [sys.executable, "-m", "tests.bench.sender.counterpart", way.value, str(log)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as peer:
        try:
            port = int(peer.stdout.readline()) if peer.stdout else 0
            file.touch(mode=0o600)
            file.write_text(apis_toml(way, port))
            yield Gateway(apis_from_file(file)[0], home, log)
        finally:
            peer.kill()


def apis_toml(way: WayName, port: int) -> str:
    """One API, with the usual window of its way."""
    fields: dict[str, str] = {"api_id": "12345", "way": way.value, "user": "bench", "tls": "off"}
    fields["password"] = SECRET
    if way in (WayName.HTTP, WayName.XML, WayName.SOAP):
        fields["url"] = f"http://127.0.0.1:{port}"
    else:
        fields["host"] = "127.0.0.1"
    if way is WayName.SMTP:
        fields |= {"mail_to": "sms@example.com", "mail_from": "bench@example.com"}
    lines = [f'{name} = "{value}"\n' for name, value in fields.items()]
    return "".join(["[[api]]\n", *lines, "default = true\n", f"port = {port}\n"])


@asynccontextmanager
async def commands_from_now(bootstrap: str) -> AsyncIterator[AsyncIterator[MtCommand]]:
    """Commands from now on, as they are committed."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", fetch_max_wait_ms=20
    )
    await consumer.start()

    async def read() -> AsyncIterator[MtCommand]:
        async for record in consumer:
            yield single_object.decode(record.value)

    try:
        consumer.assign([TopicPartition(topics.MT_COMMAND, p) for p in range(PARTITIONS)])
        await consumer.seek_to_end()
        for tp in consumer.assignment():
            await consumer.position(tp)
        yield read()
    finally:
        await consumer.stop()


def request_of(number: int, prefix: str) -> tuple[str, bytes, bytes]:
    """A request to a handset of its own, as a record."""
    handset = f"2782{prefix}{number:06d}"
    request = MtRequest(
        request_id=f"sender-{prefix}-{number}",
        to=handset,
        text="Thank you, we have got your message.",
        sender_id=NUMBER,
        requested_at=datetime.now(UTC),
    )
    return topics.MT_REQUEST, key_from_handset(handset), single_object.encode(request)


async def decided(bootstrap: str, count: int, prefix: str) -> list[MtCommand]:
    """Have the worker decide this many commands."""
    found: list[MtCommand] = []
    async with commands_from_now(bootstrap) as commands, asyncio.timeout(SECONDS):
        await publish(bootstrap, [request_of(number, prefix) for number in range(count)])
        async for command in commands:
            found.append(command)
            if len(found) == count:
                break
    return found


async def from_a_list(api: Api, commands: Sequence[MtCommand]) -> Pace:
    """The pace of the way alone: no Kafka, no permit."""
    way = way_of(api)

    async def submit(command: MtCommand) -> None:
        answers = await way.submit(Submission(command=command, attempt=1), lambda: True)
        if any(answer.outcome is not Outcome.SUBMITTED for answer in answers):
            raise RuntimeError(str(answers))

    try:
        await one_after_another(commands[: api.window], api.window, submit)  # it connects
        began, busy = perf_counter(), process_time()
        await one_after_another(commands[api.window :], api.window, submit)
        count = len(commands) - api.window
        return Pace(count / (perf_counter() - began), (process_time() - busy) / count)
    finally:
        await way.close()


async def from_outside(api: Api, commands: Sequence[MtCommand]) -> Pace:
    """The pace of a client that is not ours."""
    began, busy = perf_counter(), process_time()
    await send_by_others(api, commands)
    count = len(commands)
    return Pace(count / (perf_counter() - began), (process_time() - busy) / count)


def by_the_sender(
    bootstrap: str, gateway: Gateway, count: int, pids: Mapping[str, int]
) -> dict[str, Pace]:
    """The pace of `twoway sender`, as the gateway sees it, and each process's cost for a command.

    The time of the start does not count. Raises `RuntimeError` if a command came twice.
    """
    first = int(count * WARM_UP)
    with process(SENDER, bootstrap=bootstrap, home=gateway.home, settings=_SETTINGS) as sender:
        every = {"sender": sender.pid, **pids}
        _until(lambda: len(gateway.came()) >= first)
        before = {name: processor_seconds(pid) for name, pid in every.items()}
        _until(lambda: len(gateway.came()) >= count)
        after = {name: processor_seconds(pid) for name, pid in every.items()}
    came = gateway.came()
    ids = [command_id for _, command_id in came if command_id]
    if len(came) != count or len(ids) != len(set(ids)):
        raise RuntimeError(f"{len(came)} came of {count}, {len(set(ids))} of {len(ids)} ids")
    rate = (count - first) / (came[-1][0] - came[first - 1][0])
    return {name: Pace(rate, (after[name] - before[name]) / (count - first)) for name in every}


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("the sender does not send")
        time.sleep(0.1)


async def latency_of(bootstrap: str, gateway: Gateway, seconds: int, prefix: str) -> list[float]:
    """From the commit of a command, as a consumer sees it, to its first octet at the gateway."""
    total = RATE * seconds
    committed: dict[str, float] = {}
    async with commands_from_now(bootstrap) as commands, asyncio.timeout(SECONDS):

        async def watch() -> None:
            async for command in commands:
                committed[command.command_id] = time.time()
                if len(committed) == total:
                    return

        watching = asyncio.create_task(watch())
        producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True)
        await producer.start()
        try:
            began = time.monotonic()
            for number in range(total):
                await asyncio.sleep(max(0.0, began + number / RATE - time.monotonic()))
                topic, key, value = request_of(number, prefix)
                await producer.send(topic, value, key=key)
            await watching
        finally:
            await producer.stop()
        while len(came := _times_of(gateway, committed)) < total:  # noqa: ASYNC110 - a file
            await asyncio.sleep(0.2)
    return [came[command_id] - committed[command_id] for command_id in committed]


def _times_of(gateway: Gateway, wanted: Mapping[str, float]) -> dict[str, float]:
    return {command_id: at for at, command_id in gateway.came() if command_id in wanted}


def rows_of_latency(bootstrap: str, home: Path) -> list[tuple[str, str]]:
    """The latencies at a steady rate, by HTTP."""
    rows = []
    with gateway(WayName.HTTP, home) as peer:
        (command,) = uvloop.run(decided(bootstrap, 1, "70"))
        with process(SENDER, bootstrap=bootstrap, home=home, settings=_SETTINGS):
            _until(lambda: any(command.command_id == each for _, each in peer.came()))
            for prefix, (when, seconds) in enumerate(RATE_SECONDS.items(), start=80):
                found = percentiles(uvloop.run(latency_of(bootstrap, peer, seconds, str(prefix))))
                words = f"p50 {found['p50 ms']} ms, p99 {found['p99 ms']} ms"
                what = f"command committed -> first octet out, {RATE} commands/s by HTTP, {when}"
                rows.append((what, words))
    return rows


def rows_of_way(
    way: WayName, bootstrap: str, home: Path, pids: Mapping[str, int]
) -> list[tuple[str, str]]:
    """The rows of one way: by the sender, by our client alone, and by a client that is not ours."""
    count, prefix = COMMANDS[way], f"{list(WayName).index(way):02d}"
    commands = uvloop.run(decided(bootstrap, count, prefix))
    with gateway(way, home / "list") as peer:
        window = peer.api.window
        alone = uvloop.run(from_a_list(peer.api, commands))
    with gateway(way, home / "outside") as peer:
        run = asyncio.run if way is WayName.SMPP else uvloop.run
        others = run(from_outside(peer.api, commands))
    with gateway(way, home / "sender") as peer:
        paces = by_the_sender(bootstrap, peer, count, pids)
    ours = paces.pop("sender")
    rest = ", ".join(f"{name} {1e6 * pace.busy:,.0f}" for name, pace in paces.items())
    name = way.value.upper()
    return [
        (
            f"one sender by {name}, window {window}, a gateway that takes 50 ms for each answer",
            f"{ours} ({rest}), {ours.rate / alone.rate:.2f} of its client alone",
        ),
        (f"its client by {name} alone, from a list", str(alone)),
        (f"{NAMES[way]} by {name}, as many under way", str(others)),
    ]


def on_a_broker(home: Path, ways: Sequence[WayName] = tuple(WayName)) -> Iterator[tuple[str, str]]:
    """The rows, on a broker that this bench starts; each row is given as soon as it is known."""
    broker = LocalKafka(home=home / "kafka", partitions=PARTITIONS)
    broker.start()
    bootstrap = broker.bootstrap
    try:
        create_topics(bootstrap, Settings(kafka=bootstrap, partitions=PARTITIONS))
        numbers = single_object.encode(directory())
        asyncio.run(
            publish(bootstrap, [(topics.NUMBERS, None, numbers, n) for n in range(PARTITIONS)])
        )
        with process(
            WORKER, bootstrap=bootstrap, home=home / "worker", settings=_SETTINGS
        ) as worker:
            yield from rows_of_latency(bootstrap, home / "latency")
            pids = {"worker": worker.pid, "broker": broker.pid}
            for way in ways:
                yield from rows_of_way(way, bootstrap, home / way.value, pids)
    finally:
        broker.stop()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="twoway-bench-") as folder:
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # retries of a new topic
        chosen = [WayName(name) for name in sys.argv[1:]]
        for what, figure in on_a_broker(Path(folder), chosen):
            sys.stdout.write(f"| {what} | {figure} |\n")
            sys.stdout.flush()
