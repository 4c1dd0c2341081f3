"""One run of chaos: a stack, traffic, faults, and the findings of the checker at the end."""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

import aiohttp

from tests.chaos.checker import Findings, check, play
from tests.chaos.driver import NUMBERS_TOML, Driver
from tests.chaos.logs import PROCESSES, check_logs
from tests.chaos.mayhem import Mayhem
from tests.chaos.reading import Rows, Topics, changes, databases
from tests.chaos.tables import check_databases, check_tables
from tests.chaos.traffic import scripts
from tests.support.migrated import migrated
from tests.support.running import RunningStack

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from tests.chaos.tables import Change
    from tests.chaos.traffic import Script

PARTITIONS: Final = 4
GROUP: Final = "twoway-conversation"
STALL_SECONDS: Final = 60.0
POLL_SECONDS: Final = 1.0
END_SECONDS: Final = 60.0
TOKEN: Final = "t0ken-of-this-run"  # whoever calls has it; no log may have it


@dataclass(frozen=True)
class Load:
    """What is played: at least so many messages; about `pause` seconds between two faults."""

    seed: int
    messages: int
    pause: float


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    seed: int
    kills: int
    stops: Counter[str]
    messages: int
    findings: Findings
    deaths: list[str]
    changelog: list[Change]

    def __str__(self) -> str:
        return f"kills {self.kills}, messages {self.messages}, {self.findings}"


class Faults(Protocol):
    """What is done to the stack while the driver plays."""

    is_over: bool
    kills: int
    stops: Counter[str]
    deaths: list[str]

    async def run(self, *, pause: float, done: Callable[[], float]) -> None: ...

    def end(self) -> None: ...


def run_chaos(
    home: Path,
    *,
    seed: int,
    messages: int,
    kills: int,
    pause: float,
    say: Callable[[str], None],
) -> Outcome:
    """Start a stack under `home`, run traffic and faults on it, check, and stop it."""
    settings = {"partitions": str(PARTITIONS), "tokens": TOKEN}
    running = started(home, settings)
    mayhem = Mayhem(running, seed=seed, kills=kills, settings=settings, say=say)
    driver = driver_of(running, messages=messages, seconds=mayhem.steps * pause)
    load = Load(seed=seed, messages=messages, pause=pause)
    return play_on(running, mayhem, driver, load, processes=PROCESSES, say=say)


def started(home: Path, settings: Mapping[str, str]) -> RunningStack:
    """A stack that runs under `home`, with the rented number of the traffic."""
    running = RunningStack(home, settings=settings)
    (migrated(home) / "numbers.toml").write_text(NUMBERS_TOML)
    running.start()
    return running


def driver_of(running: RunningStack, *, messages: int, seconds: float) -> Driver:
    """A driver that plays so many messages in about so many seconds."""
    return Driver(
        ingest=f"{running.stack.ingest}/t/{TOKEN}",
        kafka=running.stack.kafka,
        messages=messages,
        rate=messages / seconds,
        seconds=4 * seconds + 300,
    )


def play_on(
    running: RunningStack,
    mayhem: Faults,
    driver: Driver,
    load: Load,
    *,
    processes: Iterable[str],
    say: Callable[[str], None],
) -> Outcome:
    """Run traffic and faults on a stack, check, and stop it."""
    try:
        outcome = asyncio.run(_run(running, mayhem, driver, load, say=say))
    finally:
        mayhem.end()
        running.stop(within_seconds=END_SECONDS)  # in time is another test's matter
    check_databases(outcome.findings, databases(running.home), outcome.changelog)
    check_logs(outcome.findings, running.home, secrets=[TOKEN], processes=processes)
    return outcome


async def _run(
    running: RunningStack,
    mayhem: Faults,
    driver: Driver,
    load: Load,
    *,
    say: Callable[[str], None],
) -> Outcome:
    stack = running.stack
    async with asyncio.TaskGroup() as group:
        group.create_task(driver.run(_until_all_is_done(driver, mayhem, load)))
        group.create_task(mayhem.run(pause=load.pause, done=lambda: driver.steps / load.messages))
    say(f"{driver.steps} steps are acknowledged; waiting for the rest to be worked off")
    async with Topics(stack.kafka, PARTITIONS) as topics:
        await until_still(
            lambda: topics.lag(GROUP, ("mo-raw", "mt-request")), say, "not worked off"
        )
        await topics.read()
        rows = Rows(f"{stack.report}/t/{TOKEN}")
        await until_still(partial(missing_rows, topics, rows), say, "not in ClickHouse")
        await topics.read()  # whatever would come twice has come
        findings = check(topics.entries, driver.sent, await rows.read())
    changelog = await changes(stack.kafka, PARTITIONS)
    played = play(topics.entries)
    check_tables(findings, changelog, played, topics.entries["mt-request"])
    return Outcome(
        seed=load.seed,
        kills=mayhem.kills,
        stops=mayhem.stops,
        messages=driver.steps,
        findings=findings,
        deaths=mayhem.deaths,
        changelog=changelog,
    )


def _until_all_is_done(driver: Driver, mayhem: Faults, load: Load) -> Iterator[Script]:
    """Play scripts of at least this many messages, and more until the last fault is done."""
    for script in scripts(sys.maxsize, seed=load.seed):
        if driver.steps >= load.messages and mayhem.is_over:
            return
        yield script


async def missing_rows(topics: Topics, rows: Rows) -> int:
    """How many records have no row in ClickHouse, or rows no record."""
    await topics.read()
    counts = await rows.count()
    return sum(abs(len(entries) - counts[topic]) for topic, entries in topics.entries.items())


async def until_still(
    left: Callable[[], Awaitable[int]], say: Callable[[str], None], words: str
) -> None:
    """Wait until nothing is left or nothing changes for a while; the checker reports the rest."""
    last, since = -1, time.monotonic()
    while True:
        try:
            count = await left()
        except (aiohttp.ClientError, TimeoutError, RuntimeError) as error:
            say(f"cannot be asked yet: {error}")
            count = last
        if count == 0:
            return
        if count != last:
            last, since = count, time.monotonic()
        if time.monotonic() - since > STALL_SECONDS:
            say(f"{count} {words}, and that has not changed for {STALL_SECONDS:.0f} s")
            return
        await asyncio.sleep(POLL_SECONDS)
