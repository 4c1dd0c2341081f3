"""What an installation costs while nothing comes, and what it writes at 100 messages a second.

    python -m tests.bench --only idle

Every process runs. Of 100 messages, 50 come in, are handed on to an application and booked, and 50
are their answers, which are sent and booked. All octets of a message are counted in Kafka's log and
in ClickHouse, and scaled to a day and to what the topics keep.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import httpx

from pipeline.kafka import topics
from tests.bench.smpp_bench import processor_seconds
from tests.bench.whole_installation import Load, whole_installation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support.running import RunningStack

    Row = tuple[str, str]

QUIET_SECONDS: Final = 20  # after the start, and before each count
IDLE_SECONDS: Final = 120
RATE: Final = 100
WARM_UP_SECONDS: Final = 20
LOAD_SECONDS: Final = 180
DAY_SECONDS: Final = 86_400
SECONDS: Final = 120.0
PARTS: Final = """SELECT table, sum(bytes_on_disk) AS octets FROM system.parts
WHERE active AND database = 'twoway' GROUP BY table"""
SENT: Final = "SELECT count() AS n FROM mt_now WHERE state IN ('sent', 'delivered')"
OF_KAFKA: Final = re.compile(r"(.+)-\d+")


class Disk(NamedTuple):
    """Octets on disk: of each topic's log, of each table, of each folder, and of each log file."""

    topics: Counter[str]
    tables: Counter[str]
    folders: Counter[str]
    said: Counter[str]

    @classmethod
    def of(cls, running: RunningStack) -> Disk:
        """What is there now."""
        logs: Counter[str] = Counter()
        for file in running.home.glob("kafka/data/*/*.log"):
            if found := OF_KAFKA.fullmatch(file.parent.name):
                logs[found[1]] += file.stat().st_size
        tables = {row["table"]: int(row["octets"]) for row in _rows(running, PARTS)}
        folders = {each.name: size_of(each) for each in running.home.iterdir() if each.is_dir()}
        said = {file.name: file.stat().st_size for file in running.home.glob("logs/*")}
        return cls(logs, Counter(tables), Counter(folders), Counter(said))

    def since(self, before: Disk) -> Disk:
        """What has come since."""
        return Disk(*(_difference(now, then) for now, then in zip(self, before, strict=True)))


def _difference(now: Counter[str], then: Counter[str]) -> Counter[str]:
    return Counter({name: size - then[name] for name, size in now.items() if size != then[name]})


def size_of(folder: Path) -> int:
    """The octets that a folder takes; files that vanish meanwhile do not count."""
    octets = 0
    for file in folder.rglob("*"):
        try:
            octets += file.lstat().st_blocks * 512
        except FileNotFoundError:
            continue
    return octets


def _rows(running: RunningStack, query: str) -> list[dict[str, str]]:
    answer = httpx.post(f"{running.stack.report}/sql", json={"query": query}, timeout=30)
    answer.raise_for_status()
    return [json.loads(line) for line in answer.text.splitlines()]


def memory_and_threads(pid: int) -> tuple[int, int]:
    """Resident octets and threads of a process (proc(5))."""
    status = Path(f"/proc/{pid}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines())
    return int(fields["VmRSS"].split()[0]) * 1024, int(fields["Threads"])


def idle_rows(pids: Mapping[str, int], seconds: int) -> Iterator[Row]:
    """Processor, memory and threads of each process while nothing comes."""
    before = {name: processor_seconds(pid) for name, pid in pids.items()}
    began = time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - began
    shares = {name: (processor_seconds(pid) - before[name]) / took for name, pid in pids.items()}
    held = {name: memory_and_threads(pid) for name, pid in pids.items()}
    for name, share in shares.items():
        octets, threads = held[name]
        yield f"idle: {name}", f"{share:.1%} of a core, {octets / 1e6:,.0f} MB, {threads} threads"
    octets = sum(octets for octets, _ in held.values())
    yield "idle: all", f"{sum(shares.values()):.1%} of a core, {octets / 1e6:,.0f} MB"


def disk_rows(grown: Disk, *, seconds: float, messages: int = 0) -> Iterator[Row]:
    """What came in `seconds`, scaled to a day; with `messages`, for each of these, too."""
    what = f"{RATE} messages/s" if messages else "idle"

    def figure(octets: int) -> str:
        each = f"{octets / messages:,.0f} octets a message, " if messages else ""
        return f"{each}{_gb(octets * DAY_SECONDS / seconds)} a day"

    for name, octets in grown.topics.most_common():
        kept = _kept(name, octets * DAY_SECONDS / seconds)
        yield f"{what}: Kafka, {name}", f"{figure(octets)}; {kept}"
    yield f"{what}: Kafka, all", figure(grown.topics.total())
    for name, octets in grown.tables.most_common():
        yield f"{what}: ClickHouse, {name}", figure(octets)
    if grown.tables:
        yield f"{what}: ClickHouse, all", figure(grown.tables.total())
    for name, octets in grown.folders.most_common():
        yield f"{what}: folder {name}", figure(octets)
    for name, octets in grown.said.most_common():
        yield f"{what}: log file {name}", figure(octets)


def _kept(name: str, octets_a_day: float) -> str:
    """How much of a topic there can be, by what Kafka removes of it."""
    topic = topics.topics().get(name)
    if topic is None or topic.compacted:
        return "compacted"
    days = topic.retention_days
    return f"kept {days} d: {_gb(octets_a_day * days)}" if days > 0 else "kept for good"


def _gb(octets: float) -> str:
    return f"{octets / 1e9:.3f} GB"


def run(home: Path) -> Iterator[Row]:
    """The rows of the table."""
    with whole_installation(home) as running:
        load = Load(running.stack.ingest)
        time.sleep(QUIET_SECONDS)
        pids = {**running.stack.pids, "up": running.process.pid if running.process else 0}
        before, began = Disk.of(running), time.monotonic()
        yield from idle_rows(pids, IDLE_SECONDS)
        yield from disk_rows(Disk.of(running).since(before), seconds=time.monotonic() - began)
        asyncio.run(load.run(rate=RATE, seconds=WARM_UP_SECONDS))
        _until_sent(running, load)
        before, warm = Disk.of(running), load.messages
        asyncio.run(load.run(rate=RATE, seconds=LOAD_SECONDS))
        _until_sent(running, load)
        grown = Disk.of(running).since(before)
        yield from disk_rows(grown, seconds=LOAD_SECONDS, messages=load.messages - warm)


def _until_sent(running: RunningStack, load: Load) -> None:
    deadline = time.monotonic() + SECONDS
    while int(_rows(running, SENT)[0]["n"]) < load.messages // 2:
        if time.monotonic() > deadline:
            raise TimeoutError("not every answer was sent")
        time.sleep(1)
    time.sleep(QUIET_SECONDS)
