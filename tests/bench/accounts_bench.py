"""Charges a second of one account, and what holding adds until a message is published.

    python -m tests.bench --only accounts

Charges of one account lie in Kafka, and one `twoway accounts` takes them in mode hold: all are
covered, so each becomes an entry and a release. Then a whole stack takes callbacks, off and held.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from pipeline.avro import single_object
from pipeline.cli.local.kafka import LocalKafka
from pipeline.directory.directory import numbers_from_toml
from pipeline.kafka import topics
from pipeline.kafka.admin import create_topics
from pipeline.records import AccountCharge, AccountCredit, Record
from pipeline.settings import Settings
from tests.bench import latency_bench
from tests.bench.pipeline_bench import process
from tests.bench.smpp_bench import processor_seconds
from tests.bench.traffic import NUMBERS_TOML
from tests.support.running import RunningStack

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from pathlib import Path

    Put = Callable[..., Awaitable[None]]

PARTITIONS: Final = 12  # as an installation has them
ACCOUNT: Final = "main"
CHARGES: Final = 60_000
WARM_UP: Final = 6_000
HOME: Final = topics.partition_of(ACCOUNT.encode(), PARTITIONS)
THIRD: Final = 1_000_000
SECONDS: Final = 180.0
RATE: Final = 100
RATE_SECONDS: Final = 30
ACCOUNTS: Final = ("-m", "pipeline.cli.main", "accounts")
HOLDS: Final = f'\n[[account]]\nname = "{ACCOUNT}"\nmode = "hold"\n'


def charge(number: int) -> AccountCharge:
    """A charge of one part that is held, of any partition."""
    return AccountCharge(
        charge_id=f"{number:032x}",
        account=ACCOUNT,
        kind="mo",
        number="447700900100",
        parts=1,
        units=THIRD,
        is_stated=False,
        is_held=True,
        home=number % PARTITIONS,
        part_ids=[f"{number:032x}"],
        flags=[],
        at=datetime.now(UTC),
    )


def credit(charges: int) -> AccountCredit:
    """Enough for so many charges."""
    return AccountCredit(
        credit_id="all",
        account=ACCOUNT,
        kind="credit",
        units=charges * THIRD,
        reference="",
        actor="bench",
        reason="bench",
        requested_at=datetime.now(UTC),
    )


@asynccontextmanager
async def filling(bootstrap: str) -> AsyncIterator[Put]:
    """A function that puts a record into a topic, by default into the account's own partition."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=5)
    await producer.start()

    async def put(topic: str, record: Record, partition: int = HOME) -> None:
        await producer.send(topic, single_object.encode(record), partition=partition)

    try:
        yield put
    finally:
        await producer.stop()  # when all is written


async def put_numbers(bootstrap: str) -> None:
    """The directory, with the account in hold."""
    text = f'[[number]]\nnumber = "447700900100"\nkind = "vmn"\n{HOLDS}'
    numbers = numbers_from_toml(text, origin="bench", loaded_at=datetime.now(UTC))
    async with filling(bootstrap) as put:
        for partition in range(PARTITIONS):
            await put(topics.NUMBERS, numbers, partition)


async def charges_a_second(bootstrap: str, folder: Path) -> tuple[float, float]:
    """Fill the topics, start the process, and watch the ledger grow.

    Charges a second, and the microseconds of processor of each.
    """
    async with filling(bootstrap) as put:
        await put(topics.ACCOUNT_CREDIT, credit(CHARGES + WARM_UP))
        for number in range(CHARGES + WARM_UP):
            await put(topics.ACCOUNT_CHARGE, charge(number))
    place = TopicPartition(topics.ACCOUNT_ENTRY, HOME)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed")
    await consumer.start()
    try:
        consumer.assign([place])
        given = {"partitions": str(PARTITIONS)}
        with process(ACCOUNTS, bootstrap=bootstrap, home=folder, settings=given) as started:
            return await _pace(consumer, started.pid)
    finally:
        await consumer.stop()


async def _pace(consumer: AIOKafkaConsumer, pid: int) -> tuple[float, float]:
    seen, began, warm, used = 0, 0.0, 0, 0.0
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        batches = await consumer.getmany(timeout_ms=200)
        seen += sum(len(records) for records in batches.values())
        if not began and seen >= WARM_UP:
            began, warm, used = time.perf_counter(), seen, processor_seconds(pid)
        if seen > CHARGES + WARM_UP:  # the credit is an entry, too
            count = seen - warm
            spent = processor_seconds(pid) - used
            return count / (time.perf_counter() - began), spent / count * 1e6
    raise TimeoutError(f"{seen} entries in {SECONDS:.0f} s")


def latency(home: Path, *, holds: bool, are_answered: bool) -> dict[str, dict[str, float]]:
    """From callback to `mo-message` in a whole stack, off or in hold with credits enough."""
    running = RunningStack(home, settings={"partitions": str(PARTITIONS)})
    running.home.mkdir(parents=True)
    (running.home / "numbers.toml").write_text(NUMBERS_TOML + (HOLDS if holds else ""))
    running.start()
    try:
        if holds:
            running.cli("credit", ACCOUNT, "100000", "--reason", "bench")
        stack = running.stack
        found: dict[str, dict[str, float]] = {}
        for seconds in (RATE_SECONDS // 2, RATE_SECONDS):  # the first warms up
            found = asyncio.run(
                latency_bench.measure(
                    ingest=stack.ingest,
                    report=stack.report,
                    kafka=stack.kafka,
                    partitions=PARTITIONS,
                    rate=RATE,
                    seconds=seconds,
                    are_answered=are_answered,
                )
            )
        return found
    finally:
        running.stop()


@contextmanager
def broker_with_account(folder: Path) -> Iterator[str]:
    """A broker with the topics and the directory; gives its address."""
    broker = LocalKafka(home=folder / "kafka", partitions=PARTITIONS)
    broker.start()
    try:
        create_topics(broker.bootstrap, Settings(kafka=broker.bootstrap, partitions=PARTITIONS))
        asyncio.run(put_numbers(broker.bootstrap))
        yield broker.bootstrap
    finally:
        broker.stop()


def on_a_broker(folder: Path) -> list[tuple[str, str]]:
    """The rows of the table."""
    with broker_with_account(folder) as bootstrap:
        rate, micros = asyncio.run(charges_a_second(bootstrap, folder / "accounts"))
    figures = f"{rate:,.0f} charges/s, {micros:.0f} µs of processor each"
    rows = [("one account in hold, one `twoway accounts`", figures)]
    for are_answered, answers in ((False, ""), (True, " and as many answers")):
        for name, holds in (("off", False), ("hold", True)):
            home = folder / f"{name}{len(rows)}"
            for what, at in latency(home, holds=holds, are_answered=are_answered).items():
                figures = f"p50 {at['p50 ms']} ms, p99 {at['p99 ms']} ms"
                rows.append((f"{what}, {RATE} messages/s{answers}, account {name}", figures))
    return rows
