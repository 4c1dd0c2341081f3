"""How long a partition pauses when a worker dies, stops or joins; takes minutes.

    python -m tests.bench.rebalance_bench [--only named|unnamed]

Two workers share four partitions. Messages arrive at a steady rate, and a reader of committed parts
notes when each part becomes visible. A pause is the longest time without a part in a partition
after the event. A row gives the shortest and the longest pause over the partitions. The workers run
with names and without.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from kafka import KafkaAdminClient

from pipeline.avro import single_object
from pipeline.cli.local.kafka import LocalKafka
from pipeline.cli.operate.leave import remove_member
from pipeline.kafka import topics
from pipeline.kafka.admin import create_topics
from pipeline.kafka.readers import CONVERSATION
from pipeline.settings import Settings
from tests.bench.pipeline_bench import until_members
from tests.bench.traffic import directory, mixed_traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PARTITIONS = 4
RATE = 100
QUIET_SECONDS = 3.0  # so long every partition must go on before an event, and after it
PATIENCE_SECONDS = 60.0


class Worker:
    """One of the two workers; a worker that is started again keeps its name."""

    def __init__(self, bootstrap: str, home: Path, name: str) -> None:
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("TWOWAY_")},
            "TWOWAY_HOME": str(home),
            "TWOWAY_KAFKA": bootstrap,
            "TWOWAY_PARTITIONS": str(PARTITIONS),
            "TWOWAY_INSTANCE": name,
        }
        home.mkdir(parents=True)
        self._log = home / "bench.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.name = name

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "pipeline.cli.main", "worker"],
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    def end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(PATIENCE_SECONDS)
            self._process = None


class Watch:
    """When the last part of each partition became visible, and the longest time without one."""

    def __init__(self, bootstrap: str) -> None:
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap, isolation_level="read_committed"
        )
        self._seen: dict[int, float] = dict.fromkeys(range(PARTITIONS), 0.0)
        self._since: dict[int, float] = dict.fromkeys(range(PARTITIONS), 0.0)
        self._longest: dict[int, float] = defaultdict(float)

    async def run(self) -> None:
        await self._consumer.start()
        try:
            self._consumer.assign([TopicPartition(topics.MO_PART, p) for p in range(PARTITIONS)])
            await self._consumer.seek_to_end()
            while True:
                found = await self._consumer.getmany(timeout_ms=100)
                now = time.monotonic()
                for tp in found:
                    self._note(tp.partition, now)
        finally:
            await self._consumer.stop()

    def _note(self, partition: int, now: float) -> None:
        pause = now - self._seen[partition]
        self._longest[partition] = max(self._longest[partition], pause)
        self._seen[partition] = now
        if pause > QUIET_SECONDS / 2:
            self._since[partition] = now

    async def until_all_go_on(self, since: float) -> None:
        """Wait until every partition has run without a pause for a while, after `since`."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            now = time.monotonic()
            goes_on = [
                now - max(self._since[p], since) > QUIET_SECONDS and now - self._seen[p] < 1
                for p in range(PARTITIONS)
            ]
            if all(goes_on):
                return
            if now > deadline:
                raise TimeoutError(f"the partitions do not all go on: {goes_on}")
            await asyncio.sleep(0.05)

    async def pauses(self, event: Callable[[], None], *, least_seconds: float) -> list[float]:
        """The longest pause of each partition, from the event until all partitions run again."""
        await self.until_all_go_on(time.monotonic())
        self._longest.clear()
        began = time.monotonic()
        await asyncio.to_thread(event)
        # Only when the event cannot but have been noticed does all that goes on go on for good.
        await self.until_all_go_on(began + least_seconds)
        return sorted(self._longest.values())


async def keep_sending(bootstrap: str) -> None:
    """Send messages at a steady rate until cancelled."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=5)
    await producer.start()
    try:
        numbers = single_object.encode(directory())
        for partition in range(PARTITIONS):
            await producer.send(topics.NUMBERS, numbers, partition=partition)
        began = time.monotonic()
        for number in itertools.count():
            (record,) = mixed_traffic(1, handsets=20_000, seed=number, prefix=f"2{number:06d}")
            await producer.send(record[0], record[2], key=record[1])
            await asyncio.sleep(max(0.0, began + number / RATE - time.monotonic()))
    finally:
        await producer.stop()


async def measure(bootstrap: str, home: Path, *, named: bool) -> list[tuple[str, str]]:
    """A row for each event."""
    one, two = (Worker(bootstrap, home / n, n if named else "") for n in ("one", "two"))
    how = "with names" if named else "without names"
    rows: list[tuple[str, str]] = []
    watch = Watch(bootstrap)

    async def row(what: str, event: Callable[[], None], *, least: float = 8.0) -> None:
        pauses = await watch.pauses(event, least_seconds=least)
        rows.append((f"{what}, {how}", f"{pauses[0]:.1f} to {pauses[-1]:.1f} s"))

    def again(number: signal.Signals) -> Callable[[], None]:
        def event() -> None:
            one.end(number)
            one.start()

        return event

    def stop_for_good() -> None:
        two.end(signal.SIGTERM)
        if named:
            leave(bootstrap, two.name)

    with running([one, two]):
        async with background(watch.run(), keep_sending(bootstrap)):
            await watch.until_all_go_on(time.monotonic())
            await until_members(bootstrap, 2)
            await row("kill -9 of one of two workers, started again", again(signal.SIGKILL))
            await row("one of two stops and is started again", again(signal.SIGTERM))
            await row(
                "kill -9 of one of two, not started again",
                lambda: two.end(signal.SIGKILL),
                least=15.0,
            )
            await row("a second worker joins", two.start)
            await row("one of two stops for good", stop_for_good)
    return rows


def leave(bootstrap: str, name: str) -> None:
    """Remove a worker from the group, as `twoway leave` does."""
    with contextlib.closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as admin:
        remove_member(admin, group=CONVERSATION, name=name)


@contextlib.contextmanager
def running(workers: list[Worker]) -> Iterator[None]:
    try:
        for worker in workers:
            worker.start()
        yield
    finally:
        for worker in workers:
            worker.end(signal.SIGKILL)


@contextlib.asynccontextmanager
async def background(*work: Any) -> Any:
    """Run these tasks in the background, then end them; raise the error of a task that failed."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception):
                raise error


def main() -> None:
    words = argparse.ArgumentParser(description="Measure how long partitions pause.")
    words.add_argument("--only", choices=("named", "unnamed"))
    given = words.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    rows: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory(prefix="twoway-bench-") as folder:
        for way in ("unnamed", "named"):
            if given.only not in (None, way):
                continue
            home = Path(folder) / way
            broker = LocalKafka(home=home / "kafka", partitions=PARTITIONS)
            broker.start()
            try:
                settings = Settings(kafka=broker.bootstrap, partitions=PARTITIONS)
                create_topics(broker.bootstrap, settings)
                rows += asyncio.run(measure(broker.bootstrap, home, named=way == "named"))
            finally:
                broker.stop()
    sys.stdout.write("| event | pause of a partition |\n|---|---|\n")
    for what, figure in rows:
        sys.stdout.write(f"| {what} | {figure} |\n")


if __name__ == "__main__":
    main()
