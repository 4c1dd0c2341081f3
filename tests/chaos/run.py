"""One run of chaos: a stack, traffic, faults, and the findings of the checker at the end."""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import aiohttp

from tests.chaos.checker import Findings, check, play
from tests.chaos.driver import NUMBERS_TOML, Driver
from tests.chaos.logs import check_logs
from tests.chaos.mayhem import Mayhem
from tests.chaos.reading import Rows, Topics, changes, databases
from tests.chaos.tables import check_databases, check_tables
from tests.chaos.traffic import scripts
from tests.support.running import RunningStack

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Awaitable, Callable, Iterator
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
    running = RunningStack(home, settings=settings)
    home.mkdir(parents=True)
    (home / "numbers.toml").write_text(NUMBERS_TOML)
    running.start()
    mayhem = Mayhem(running, seed=seed, kills=kills, settings=settings, say=say)
    try:
        outcome = asyncio.run(
            _run(running, mayhem, seed=seed, messages=messages, pause=pause, say=say)
        )
    finally:
        mayhem.end()
        running.stop(within_seconds=END_SECONDS)  # in time is another test's matter
    check_databases(outcome.findings, databases(home), outcome.changelog)
    check_logs(outcome.findings, home, secrets=[TOKEN])
    return outcome


async def _run(
    running: RunningStack,
    mayhem: Mayhem,
    *,
    seed: int,
    messages: int,
    pause: float,
    say: Callable[[str], None],
) -> Outcome:
    stack = running.stack
    seconds = mayhem.steps * pause
    driver = Driver(
        ingest=f"{stack.ingest}/t/{TOKEN}",
        kafka=stack.kafka,
        rate=messages / seconds,
        seconds=4 * seconds + 300,
    )
    async with asyncio.TaskGroup() as group:
        load = _until_all_is_done(driver, mayhem, messages=messages, seed=seed)
        group.create_task(driver.run(load))
        group.create_task(mayhem.run(pause=pause, done=lambda: driver.steps / messages))
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
        seed=seed,
        kills=mayhem.kills,
        stops=mayhem.stops,
        messages=driver.steps,
        findings=findings,
        deaths=mayhem.deaths,
        changelog=changelog,
    )


def _until_all_is_done(
    driver: Driver, mayhem: Mayhem, *, messages: int, seed: int
) -> Iterator[Script]:
    """Play scripts of at least this many messages, and more until the last fault is done."""
    for script in scripts(sys.maxsize, seed=seed):
        if driver.steps >= messages and mayhem.is_over:
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
