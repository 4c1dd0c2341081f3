"""One upgrade under load, in the order of docs/upgrading.md: nothing is lost, nothing twice."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from pipeline.cli.local.kafka import LocalKafka
from tests.chaos.checker import Findings, check, play
from tests.chaos.driver import NUMBERS_TOML, Driver
from tests.chaos.reading import Rows, Topics, changes
from tests.chaos.run import missing_rows, until_still
from tests.chaos.tables import check_tables
from tests.chaos.traffic import scripts
from tests.upgrade.fleet import Fleet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.chaos.traffic import Script

PARTITIONS: Final = 4
GROUP: Final = "twoway-conversation"
BESIDE: Final = "worker-9"  # a worker of the new release beside the old ones


@dataclass(frozen=True)
class Upgraded:
    """How an upgrade ended."""

    messages: int
    findings: Findings


def run_upgrade(
    folder: Path,
    *,
    old: Path,
    new: Path,
    messages: int,
    rate: float,
    pause: float,
    goes_back: bool,
    say: Callable[[str], None],
    workers: int = 2,
) -> Upgraded:
    """Start the old release in `folder`, upgrade it under load, check what came out.

    `workers`: how many of the old release; one of the new one comes beside them. `pause`: seconds
    between two steps. `goes_back`: then the workers and ingest go back again.
    """
    kafka = LocalKafka(home=folder / "kafka", partitions=PARTITIONS)
    kafka.start()
    fleet = Fleet(folder, {"kafka": kafka.bootstrap, "partitions": str(PARTITIONS)})
    try:
        for release in (old, new):
            assert fleet.origin(release).startswith(f"{release.resolve()}/"), release
        numbers = folder / "numbers.toml"
        numbers.write_text(NUMBERS_TOML)
        fleet.run(old, "deploy.create_topics")
        fleet.run(old, "pipeline.cli.main", "numbers", "load", str(numbers))
        names = [f"worker-{number}" for number in range(1, workers + 1)]
        for name in ("store", *names, "ingest"):
            fleet.start(old, name)
        say("the old release is ready")
        steps = [*_forward(fleet, new, names)]
        if goes_back:
            steps += _back(fleet, old, names)
        return asyncio.run(
            _under_load(
                fleet, kafka.bootstrap, steps, messages=messages, rate=rate, pause=pause, say=say
            )
        )
    finally:
        fleet.end()
        kafka.stop()


Step = tuple[str, "Callable[[], None]"]


def _forward(fleet: Fleet, new: Path, workers: list[str]) -> Iterator[Step]:
    def swap(name: str) -> None:
        fleet.stop(name)
        fleet.start(new, name)

    yield "topics", partial(fleet.run, new, "deploy.create_topics")
    yield "store", partial(swap, "store")
    yield "one more worker, new beside old", partial(fleet.start, new, BESIDE)
    for name in workers:
        yield name, partial(swap, name)
    yield "ingest", partial(swap, "ingest")


def _back(fleet: Fleet, old: Path, workers: list[str]) -> Iterator[Step]:
    def swap(name: str) -> None:
        fleet.stop(name)
        fleet.start(old, name)

    yield "back: ingest", partial(swap, "ingest")
    for name in (*workers, BESIDE):
        yield f"back: {name}", partial(swap, name)


async def _under_load(
    fleet: Fleet,
    bootstrap: str,
    steps: list[Step],
    *,
    messages: int,
    rate: float,
    pause: float,
    say: Callable[[str], None],
) -> Upgraded:
    driver = Driver(
        ingest=fleet.address("ingest"),
        kafka=bootstrap,
        messages=messages,
        rate=rate,
        seconds=900,
    )
    is_over = asyncio.Event()

    async def upgrade() -> None:
        for words, step in steps:
            await asyncio.sleep(pause)
            await asyncio.to_thread(step)
            say(f"{words}: done, after {driver.steps} steps")
        await asyncio.sleep(pause)
        is_over.set()

    def load() -> Iterator[Script]:
        for script in scripts(sys.maxsize, seed=1):
            if driver.steps >= messages and is_over.is_set():
                return
            yield script

    async with asyncio.TaskGroup() as group:
        group.create_task(driver.run(load()))
        group.create_task(upgrade())
    say(f"{driver.steps} steps are acknowledged; waiting for the rest to be worked off")
    async with Topics(bootstrap, PARTITIONS) as topics:
        await until_still(
            lambda: topics.lag(GROUP, ("mo-raw", "mt-request")), say, "not worked off"
        )
        await topics.read()
        rows = Rows(fleet.address("store"))
        await until_still(partial(missing_rows, topics, rows), say, "not in ClickHouse")
        await topics.read()  # whatever would come twice has come
        findings = check(topics.entries, driver.sent, await rows.read())
    check_tables(
        findings,
        await changes(bootstrap, PARTITIONS),
        play(topics.entries),
        topics.entries["mt-request"],
    )
    return Upgraded(driver.steps, findings)
