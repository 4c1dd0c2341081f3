"""The losses of brokers and their times, by a seed; the next begins once all three are in sync."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.chaos.brokers.cluster import NUMBERS
from tests.chaos.brokers.node import CLIENTS, SESSION_SECONDS
from tests.chaos.brokers.recovery import Loss
from tests.chaos.brokers.watcher import watch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.chaos.brokers.cluster import Cluster
    from tests.chaos.brokers.disk import Disk
    from tests.chaos.brokers.node import Node
    from tests.chaos.brokers.recovery import Done
    from tests.chaos.driver import Driver

LOOK_SECONDS: Final = 0.1
SYNC_LOOK_SECONDS: Final = 0.5
FULL_SECONDS: Final = 60.0  # how long a broker may run on without room
SYNC_SECONDS: Final = 180.0
DISK_OF: Final = NUMBERS[-1]  # the broker whose disk can be filled


@dataclass(frozen=True)
class Times:
    """In seconds: `away` is how long a broker is lost, from and to."""

    between: tuple[float, float] = (2.0, 5.0)
    away: tuple[float, float] = (SESSION_SECONDS + 2.0, SESSION_SECONDS + 11.0)
    after_the_last: float = 15.0  # for what is begun after the last loss to be done


class BrokerMayhem:
    """Does `count` losses to a cluster, each kind at least once if there are enough."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        seed: int,
        count: int,
        disk: Disk | None,
        driver: Driver,
        worker: Callable[[], int],
        say: Callable[[str], None],
        kinds: tuple[str, ...],
        times: Times,
    ) -> None:
        self._cluster = cluster
        self._rng = random.Random(seed)
        self._disk = disk
        self._driver = driver
        self._worker = worker
        self._say = say
        self._times = times
        self._plan = self._planned(kinds or tuple(LOSSES), count)
        self._stopped: set[int] = set()
        self.is_over = False
        self.kills = 0
        self.stops: Counter[str] = Counter()  # how often each kind of loss was done
        self.deaths: list[str] = []  # of brokers, by themselves
        self.losses: list[Loss] = []
        self.processed: list[Done] = []  # as somebody who reads mo-message sees it

    @property
    def steps(self) -> int:
        """How many losses there will be."""
        return len(self._plan)

    def _planned(self, kinds: tuple[str, ...], count: int) -> list[str]:
        possible = [kind for kind in kinds if self._disk or kind != FULL]
        often = max(0, count - len(possible))
        plan = [*possible, *self._rng.choices(possible, k=often)][:count]
        self._rng.shuffle(plan)
        return plan

    async def run(self, *, pause: float, done: Callable[[], float]) -> None:
        """Do everything, spread over the load; `done` is the share of the load that is done.

        `pause` is not used: the next loss begins once the cluster is whole again.
        """
        watching = asyncio.create_task(
            watch(self._cluster.bootstrap, begun=self._driver.begun, seen=self.processed)
        )
        try:
            await self._until_in_sync()
            for number, kind in enumerate(self._plan):
                while done() < number / (len(self._plan) + 1):  # noqa: ASYNC110 - none tells
                    await asyncio.sleep(LOOK_SECONDS)
                await asyncio.sleep(self._rng.uniform(*self._times.between))
                await self._lose(kind)
            await asyncio.sleep(self._times.after_the_last)
        finally:
            self.is_over = True
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _lose(self, kind: str) -> None:
        victim = await self._victim(kind)
        seconds = self._rng.uniform(*self._times.away)
        self._say(f"broker {victim.number}: {kind}, for {seconds:.1f} s")
        self.stops[kind] += 1
        self.kills += 1
        at = time.time()
        await LOSSES[kind](self, victim, seconds)
        took = await self._until_in_sync()
        self.losses.append(Loss(kind, at, took))

    async def _victim(self, kind: str) -> Node:
        if kind == FULL:
            return self._cluster.nodes[DISK_OF]
        deadline = time.monotonic() + SYNC_SECONDS
        while not (controller := await asyncio.to_thread(self._cluster.controller)):
            if time.monotonic() > deadline:
                raise TimeoutError("there is no controller")
            await asyncio.sleep(LOOK_SECONDS)
        others = [number for number in NUMBERS if number != controller]
        number = controller if kind in OF_CONTROLLER else self._rng.choice(others)
        return self._cluster.nodes[number]

    async def _until_in_sync(self) -> float:
        """Start what has ended, as a supervisor does; returns the seconds until all is in sync."""
        began = time.monotonic()
        while not await asyncio.to_thread(self._cluster.is_in_sync):
            for node in self._cluster.nodes.values():
                if node.has_ended and node.process:
                    self.deaths.append(f"broker {node.number} ended with {node.process.returncode}")
                    self._say(self.deaths[-1])
                    await asyncio.to_thread(node.launch)
            if time.monotonic() - began > SYNC_SECONDS:
                raise TimeoutError(f"the brokers are not in sync after {SYNC_SECONDS:.0f} s")
            await asyncio.sleep(SYNC_LOOK_SECONDS)
        return time.monotonic() - began

    async def _kill(self, node: Node, seconds: float) -> None:
        await asyncio.to_thread(node.kill)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(node.launch)

    async def _stop(self, node: Node, seconds: float) -> None:
        """Stop it for longer than its session, so that it comes back as a leader that is none."""
        self._stopped.add(node.pid)
        os.kill(node.pid, signal.SIGSTOP)
        await asyncio.sleep(seconds)
        os.kill(node.pid, signal.SIGCONT)
        self._stopped.discard(node.pid)

    async def _kill_with_worker(self, node: Node, seconds: float) -> None:
        """The next worker finds its partitions and their state while the group has moved."""
        self._kill_worker()
        await self._kill(node, seconds)

    async def _stop_with_worker(self, node: Node, seconds: float) -> None:
        self._kill_worker()
        await self._stop(node, seconds)

    def _kill_worker(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self._worker(), signal.SIGKILL)

    async def _cut_off(self, node: Node, seconds: float) -> None:
        """Clients reach it, the other brokers do not."""
        await self._cut(
            [(node.number, other) for other in NUMBERS if other != node.number], seconds
        )

    async def _cut_off_from_all(self, node: Node, seconds: float) -> None:
        every = [other for other in (CLIENTS, *NUMBERS) if other != node.number]
        await self._cut([(other, node.number) for other in every], seconds)

    async def _cut_from_one(self, node: Node, seconds: float) -> None:
        other = self._rng.choice([number for number in NUMBERS if number != node.number])
        await self._cut([(node.number, other)], seconds)

    async def _cut(self, pairs: list[tuple[int, int]], seconds: float) -> None:
        await asyncio.to_thread(self._cluster.cut, *pairs)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(self._cluster.cut)

    async def _lose_disk(self, node: Node, seconds: float) -> None:
        await asyncio.to_thread(node.kill)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(node.lose_disk)
        await asyncio.to_thread(node.launch)

    async def _fill_disk(self, node: Node, seconds: float) -> None:
        assert self._disk is not None
        began = time.monotonic()
        await asyncio.to_thread(self._disk.fill)
        while not node.has_ended:
            if time.monotonic() - began > FULL_SECONDS:
                self.deaths.append(f"broker {node.number} ran on for {FULL_SECONDS:.0f} s, full")
                break
            await asyncio.sleep(LOOK_SECONDS)
        self._say(f"broker {node.number} ended after {time.monotonic() - began:.1f} s")
        await asyncio.to_thread(node.kill)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(self._disk.free)
        await asyncio.to_thread(node.launch)

    def end(self) -> None:
        """Let every broker that is stopped continue, and mend every link."""
        for pid in self._stopped:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self._cluster.cut()


FULL: Final = "disk full"
LOSSES: Final[dict[str, Callable[[BrokerMayhem, Node, float], Awaitable[None]]]] = {
    "kill -9": BrokerMayhem._kill,
    "kill -9, the controller": BrokerMayhem._kill,
    "kill -9, and the worker": BrokerMayhem._kill_with_worker,
    "SIGSTOP": BrokerMayhem._stop,
    "SIGSTOP, the controller": BrokerMayhem._stop,
    "SIGSTOP, and the worker killed": BrokerMayhem._stop_with_worker,
    "cut off from the brokers": BrokerMayhem._cut_off,
    "cut off from the brokers, the controller": BrokerMayhem._cut_off,
    "cut off from all": BrokerMayhem._cut_off_from_all,
    "cut off from all, the controller": BrokerMayhem._cut_off_from_all,
    "cut off from one broker": BrokerMayhem._cut_from_one,
    "disk lost": BrokerMayhem._lose_disk,
    "disk lost, the controller": BrokerMayhem._lose_disk,
    FULL: BrokerMayhem._fill_disk,
}
OF_CONTROLLER: Final = frozenset(kind for kind in LOSSES if kind.endswith("the controller"))
