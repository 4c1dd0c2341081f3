"""A run of chaos on three brokers: the traffic and the checker of one broker, other faults."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.kafka.topics import partition_of
from pipeline.sms.msisdn import key_from_handset
from tests.chaos.brokers.cluster import NUMBERS, Cluster
from tests.chaos.brokers.disk import Disk
from tests.chaos.brokers.mayhem import DISK_OF, BrokerMayhem, Times
from tests.chaos.brokers.recovery import Done, table_of
from tests.chaos.run import PARTITIONS, TOKEN, Load, driver_of, play_on, started

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tests.chaos.driver import Answered
    from tests.chaos.run import Outcome

PROCESSES: Final = ("ingest", "worker", "store", *(f"kafka-{number}" for number in NUMBERS))
SETTINGS: Final = {
    "partitions": str(PARTITIONS),
    "tokens": TOKEN,
    "replication_factor": "3",
    "min_insync_replicas": "2",
}


@dataclass(frozen=True)
class BrokersOutcome:
    """How a run ended, and how long each kind of loss was felt."""

    outcome: Outcome
    table: list[str]
    left_out: str  # a kind of loss that cannot be had here, and why


def run_chaos_on_brokers(
    home: Path,
    *,
    seed: int,
    messages: int,
    losses: int,
    pause: float,
    say: Callable[[str], None],
    kinds: tuple[str, ...] = (),
    times: Times | None = None,
) -> BrokersOutcome:
    """Start three brokers and a stack under `home`, run traffic and losses, check, and stop."""
    cluster = Cluster(home)
    with ExitStack() as ending:
        disk = Disk(cluster.nodes[DISK_OF].data)
        if left_out := disk.mount():
            say(f"no disk is filled, because none can be mounted: {left_out}")
        else:
            ending.callback(disk.unmount)
        ending.callback(cluster.stop)
        cluster.start()
        say(f"three brokers answer on {cluster.bootstrap}")
        running = started(home, SETTINGS | {"kafka": cluster.bootstrap})
        ending.callback(running.kill)
        driver = driver_of(running, messages=messages, seconds=losses * pause)
        mayhem = BrokerMayhem(
            cluster,
            seed=seed,
            count=losses,
            disk=None if left_out else disk,
            driver=driver,
            worker=lambda: running.stack.pids["worker"],
            say=say,
            kinds=kinds,
            times=times or Times(),
        )
        load = Load(seed=seed, messages=messages, pause=pause)
        outcome = play_on(running, mayhem, driver, load, processes=PROCESSES, say=say)
    table = table_of(
        mayhem.losses, acknowledged_in(driver.answered), mayhem.processed, partitions=PARTITIONS
    )
    return BrokersOutcome(outcome, table, left_out)


def acknowledged_in(answered: Iterable[Answered]) -> list[Done]:
    """The answers of ingest, by partition."""
    return [
        Done(partition_of(key_from_handset(handset), PARTITIONS), begun, at)
        for handset, begun, at in answered
    ]
