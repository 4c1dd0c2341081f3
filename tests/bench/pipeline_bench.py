"""Messages a second from mo-raw to mo-message and mt-command, beside aiokafka and stock Faust."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from pipeline.avro import single_object
from pipeline.kafka import topics
from pipeline.kafka.admin import create_topics
from pipeline.kafka.readers import CONVERSATION
from pipeline.settings import Settings
from tests.bench import stock_faust
from tests.bench.traffic import directory, mixed_traffic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

PARTITIONS = 4
BARE = "bench-bare"
TWO_RECORDS = 60_000  # what can be filled well within a session
STOCK_RECORDS = 20_000  # it is slow: these, or those of so many seconds, tell its rate
STOCK_SECONDS = 30.0
SECONDS = 120.0
ASKED_SECONDS = 0.05
QUIET_SECONDS = 2.0  # nothing more is committed: it is time to count
OUTPUTS = (topics.MO_PART, topics.MO_MESSAGE, topics.MT_COMMAND, topics.MT_REJECTION)


def repeats_in(count: int) -> int:
    """How many of the first `records` of the traffic are repeats, and so have no output."""
    return sum(1 for n in range(count) if n % 20 == 14)


async def fill(bootstrap: str, count: int) -> int:
    """Publish the directory and the traffic; return the number of records of traffic."""
    numbers = single_object.encode(directory())
    await publish(bootstrap, [(topics.NUMBERS, None, numbers, n) for n in range(PARTITIONS)])
    traffic = list(mixed_traffic(count, handsets=20_000))
    await publish(bootstrap, traffic)
    return len(traffic)


async def publish(bootstrap: str, records: Sequence[tuple[Any, ...]]) -> None:
    """Publish records of topic, key, value and, if given, partition."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, linger_ms=5, max_batch_size=1 << 17, enable_idempotence=True
    )
    await producer.start()
    try:
        for topic, key, value, *partition in records:
            await producer.send(topic, value, key=key, partition=next(iter(partition), None))
        await producer.flush()
    finally:
        await producer.stop()


class WorkedOff:
    """Counts the inputs that have been processed, by the outputs.

    During a run only the last stable offsets are asked. The records are counted afterwards: a
    consumer beside the worker would take a tenth of the processor that is measured.
    """

    def __init__(self, bootstrap: str, *, prefix: str = "", partitions: int = PARTITIONS) -> None:
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap, isolation_level="read_committed"
        )
        self._partitions = [
            TopicPartition(prefix + topic, partition)
            for topic in OUTPUTS
            for partition in range(partitions)
        ]
        self._begin: dict[TopicPartition, int] = {}

    async def __aenter__(self) -> WorkedOff:
        await self._consumer.start()
        self._begin = await self._ends()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def rate(self, wanted: int, *, enough_seconds: float = SECONDS) -> float:
        """Records of input (parts or decisions) a second, from the first commit to the last.

        Ends after `wanted` records or after `enough_seconds`. The records of the first commit do
        not count.
        """
        started = first = last = time.monotonic()
        began = seen = self._begin
        while True:
            await asyncio.sleep(ASKED_SECONDS)
            ends, now = await self._ends(), time.monotonic()
            if ends != seen:
                if seen is self._begin:
                    first, began = now, ends
                seen, last = ends, now
            is_enough = seen is not self._begin and now - first > enough_seconds
            if is_enough or now - last > QUIET_SECONDS:
                done = await self._count(self._begin, seen)
                if is_enough or done >= wanted:
                    break
                if now - started > SECONDS:
                    raise TimeoutError(f"{done} of {wanted} in {SECONDS} s")
        of_first = await self._count(self._begin, began)
        self._begin = seen
        return (done - of_first) / (last - first)

    async def _ends(self) -> dict[TopicPartition, int]:
        ends: dict[TopicPartition, int] = await self._consumer.end_offsets(self._partitions)
        return ends

    async def _count(self, begin: dict[TopicPartition, int], end: dict[TopicPartition, int]) -> int:
        """The number of input records that the outputs between these offsets come from."""
        of_input = [tp for tp in begin if not tp.topic.endswith(topics.MO_MESSAGE)]
        reading = [tp for tp in of_input if begin[tp] < end[tp]]
        self._consumer.assign(reading)
        for tp in reading:
            self._consumer.seek(tp, begin[tp])
        done = 0
        while any([await self._consumer.position(tp) < end[tp] for tp in reading]):
            for tp, records in (await self._consumer.getmany(timeout_ms=200)).items():
                done += sum(record.offset < end[tp] for record in records)
        return done


async def bare(bootstrap: str, count: int) -> float:
    """Bare aiokafka in one process: consume mo-raw and mt-request, produce each value as it is."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, linger_ms=5, max_batch_size=1 << 17, acks="all"
    )
    await consumer.start()
    await producer.start()
    try:
        sources = (topics.MO_RAW, topics.MT_REQUEST)
        consumer.assign([TopicPartition(t, p) for t in sources for p in range(PARTITIONS)])
        await consumer.seek_to_beginning()
        done, began = 0, 0.0
        while done < count:
            for tp, records in (await consumer.getmany(timeout_ms=200)).items():
                began = began or time.monotonic()
                for record in records:
                    await producer.send(BARE, record.value, key=record.key, partition=tp.partition)
                done += len(records)
        await producer.flush()
        return done / (time.monotonic() - began)
    finally:
        await consumer.stop()
        await producer.stop()


@contextmanager
def process(
    words: Sequence[str],
    *,
    bootstrap: str,
    home: Path,
    settings: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """`python *words` with the broker in its settings; the process is killed at the end."""
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("TWOWAY_")},
        "TWOWAY_HOME": str(home),
        "TWOWAY_KAFKA": bootstrap,
        "TWOWAY_PARTITIONS": str(PARTITIONS),
        "TWOWAY_LOG_LEVEL": "warning",
        **{f"TWOWAY_{name.upper()}": text for name, text in (settings or {}).items()},
    }
    home.mkdir(parents=True, exist_ok=True)
    with (home / "bench.log").open("wb") as log:
        started = subprocess.Popen(
            [sys.executable, *words], env=environment, stdout=log, stderr=log
        )
    try:
        yield started
    finally:
        started.send_signal(signal.SIGCONT)
        started.terminate()
        try:
            started.wait(20)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


async def one_worker(bootstrap: str, home: Path, count: int) -> float:
    """The rate of our worker on the records in the topics."""
    async with WorkedOff(bootstrap) as done:
        with process(["-m", "pipeline.cli.main", "worker"], bootstrap=bootstrap, home=home):
            return await done.rate(count - repeats_in(count))


async def two_workers(bootstrap: str, home: Path, count: int) -> float:
    """The rate of two workers that share the partitions; they wait while the topics fill."""
    worker = ["-m", "pipeline.cli.main", "worker"]
    warming = list(mixed_traffic(400, handsets=100, prefix="2797"))
    traffic = list(mixed_traffic(count, handsets=20_000, prefix="2798"))
    async with WorkedOff(bootstrap) as done:
        with (
            process(worker, bootstrap=bootstrap, home=home / "one") as one,
            process(worker, bootstrap=bootstrap, home=home / "two") as two,
        ):
            await until_members(bootstrap, 2)
            await publish(bootstrap, warming)
            await done.rate(len(warming) - repeats_in(len(warming)))
            for each in (one, two):
                each.send_signal(signal.SIGSTOP)
            await publish(bootstrap, traffic)
            for each in (one, two):
                each.send_signal(signal.SIGCONT)
            return await done.rate(count - repeats_in(count))


async def until_members(bootstrap: str, count: int) -> None:
    """Wait until the group is stable and has this many members."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        deadline = time.monotonic() + SECONDS
        while True:
            (answer,) = await admin.describe_consumer_groups([CONVERSATION])
            (_, _, state, _, _, members, *_) = answer.groups[0]
            if state == "Stable" and len(members) == count:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"the group is {state} with {len(members)} of {count} workers")
            await asyncio.sleep(0.2)
    finally:
        await admin.close()


async def stock(bootstrap: str, home: Path, store: str) -> float:
    """The same stages on stock Faust, on the first part of the records in the topics."""
    words = ["-m", "tests.bench.stock_faust", bootstrap, str(home), store, str(PARTITIONS)]
    async with WorkedOff(bootstrap, prefix=f"{stock_faust.app_id_of(store)}-") as done:
        with process(words, bootstrap=bootstrap, home=home):
            return await done.rate(STOCK_RECORDS, enough_seconds=STOCK_SECONDS)


def stores() -> list[str]:
    """The table stores of Faust that are installed here."""
    return [store for store in stock_faust.STORES if store == "memory://" or find_spec("rocksdict")]


def create_bench_topics(bootstrap: str) -> None:
    """Create the topics of our worker and the topics of the rows beside it."""
    create_topics(bootstrap, Settings(kafka=bootstrap, partitions=PARTITIONS))
    names = {BARE: {}} | {n: c for s in stores() for n, c in stock_faust.topic_names(s).items()}
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.create_topics([NewTopic(n, PARTITIONS, 1, topic_configs=c) for n, c in names.items()])
    admin.close()


def run(bootstrap: str, home: Path, count: int) -> dict[str, float]:
    """Measure every rate, in one run on one broker."""
    create_bench_topics(bootstrap)
    sent = asyncio.run(fill(bootstrap, count))
    rates = {"bare aiokafka": asyncio.run(bare(bootstrap, sent))}
    for store in stores():
        row = f"stock Faust, tables in {store}"
        rates[row] = asyncio.run(stock(bootstrap, home / store.partition(":")[0], store))
    rates["one worker, all stages"] = asyncio.run(one_worker(bootstrap, home / "ours", sent))
    rates["two workers"] = asyncio.run(two_workers(bootstrap, home, min(count, TWO_RECORDS)))
    return rates
