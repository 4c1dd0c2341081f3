"""The faults and their times: SIGKILL, SIGSTOP beyond the session, workers that come and go."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.chaos.stopping_worker import PLACES
from tests.support.running import environment_without_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from tests.support.running import RunningStack

SESSION_SECONDS: Final = 10  # pipeline.engine.faust.app: broker_session_timeout
ANYWHERE: Final = "anywhere"
REACH_SECONDS: Final = 240.0  # how long a worker may take to come where it stops itself
OFTEN: Final = 30
ALIVE_SECONDS: Final = 45.0  # how long a victim may take to be there again
LOOK_SECONDS: Final = 0.1
MOST_WORKERS: Final = 2  # with the stack's and one that stops itself as many as partitions
VICTIMS: Final = ("worker", "ingest", "store", "kafka")
WEIGHTS: Final = (8, 4, 4, 3)


@dataclass
class Extra:
    """A worker of the chaos. Every other one has a name, and keeps it when it is started again."""

    process: subprocess.Popen[bytes]
    name: str


class Mayhem:
    """Does `kills` kills and a few stops to a stack and to its own workers, chosen by a seed."""

    def __init__(
        self,
        running: RunningStack,
        *,
        seed: int,
        kills: int,
        settings: Mapping[str, str],
        say: Callable[[str], None],
    ) -> None:
        self._running = running
        self._rng = random.Random(seed)
        self._settings = settings
        self._say = say
        self._workers: list[Extra] = []
        self._added = 0
        # So many at a time that each of them gets a partition.
        self._stopping_itself = asyncio.Semaphore(1 if kills >= len(PLACES) else 2)
        self._killed: dict[str, int] = {}  # the process id killed last, by name
        self._stop_steps: set[Callable[[], Coroutine[None, None, None]]] = {self._stop_worker}
        self._plan = self._planned(kills)
        self._stopped: set[int] = set()
        self.is_over = False
        self.kills = 0
        self.stops: Counter[str] = Counter()  # beyond the session, by where it was
        self.deaths: list[str] = []  # of our own workers, by themselves

    @property
    def steps(self) -> int:
        """How many faults there will be."""
        return len(self._plan)

    def _planned(self, kills: int) -> list[Callable[[], Coroutine[None, None, None]]]:
        """Each victim at least once, if there are enough kills."""
        names = [*VICTIMS, *self._rng.choices((*VICTIMS, "extra"), (*WEIGHTS, 4), k=kills)][:kills]
        steps = [self._kill_step(name) for name in names]
        steps += [self._stop_worker] * (kills // 10)
        steps += [self._stop_step(place) for place in self._places(kills)]
        steps += [self._add_worker, self._remove_worker] * (kills // 8)
        self._rng.shuffle(steps)
        return [self._add_worker, *steps]

    def _places(self, kills: int) -> list[str]:
        """All places in a long run, two in a short one."""
        if kills >= len(PLACES):
            return list(PLACES)
        often = [name for name, place in PLACES.items() if place.often]
        seldom = [name for name, place in PLACES.items() if not place.often]
        return [self._rng.choice(often), self._rng.choice(seldom)]

    def _stop_step(self, place: str) -> Callable[[], Coroutine[None, None, None]]:
        async def stop() -> None:
            await self._stop_at(place)

        self._stop_steps.add(stop)
        return stop

    def _kill_step(self, name: str) -> Callable[[], Coroutine[None, None, None]]:
        async def kill() -> None:
            await self._kill(name)

        return kill

    async def run(self, *, pause: float, done: Callable[[], float]) -> None:
        """Do everything, with about `pause` seconds between faults, spread over the load.

        `done` is the share of the load that is done. In the end, stopped processes continue.
        """
        try:
            async with asyncio.TaskGroup() as group:
                keeper = group.create_task(self._revive())
                stops: list[asyncio.Task[None]] = []
                for number, step in enumerate(self._plan):
                    await asyncio.sleep(self._rng.uniform(0.3, 1.7) * pause)
                    while done() < number / (len(self._plan) + 1):  # noqa: ASYNC110 - none tells
                        await asyncio.sleep(LOOK_SECONDS)
                    if step in self._stop_steps:
                        stops.append(group.create_task(step()))
                    else:
                        await step()
                await asyncio.gather(*stops)
                keeper.cancel()
        finally:
            self.is_over = True
            for pid in self._stopped:
                _signal(pid, signal.SIGCONT)

    def end(self) -> None:
        """End the workers of the chaos."""
        for extra in self._workers:
            _signal(extra.process.pid, signal.SIGCONT)
            extra.process.kill()
            extra.process.wait()

    async def _kill(self, name: str) -> None:
        if name == "extra":
            if not self._workers:
                self._start_worker()
            victim = self._rng.choice(self._workers).process
            victim.kill()
            self.kills += 1
            self._say(f"killed a worker of our own, pid {victim.pid}")
            return
        pid = await self._pid_of(name)
        self._killed[name] = pid
        _signal(pid, signal.SIGKILL)
        self.kills += 1
        self._say(f"killed {name}, pid {pid}")

    async def _pid_of(self, name: str) -> int:
        """The process id of a program of the stack, once it differs from the one killed before."""
        deadline = time.monotonic() + ALIVE_SECONDS
        while True:
            pid = self._running.stack.pids[name]
            if pid != self._killed.get(name) and self._is_of_the_stack(pid):
                return pid
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} is not there again\n{self._running.said()}")
            await asyncio.sleep(0.2)

    def _is_of_the_stack(self, pid: int) -> bool:
        """Whether the process is of the stack, by its home: ids are reused."""
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
        except FileNotFoundError:
            return False
        return str(self._running.home).encode() in words

    async def _stop_worker(self) -> None:
        """Stop a worker at any point of its work."""
        choices = [it.process.pid for it in self._workers if it.process.poll() is None]
        pid = self._rng.choice([await self._pid_of("worker"), *choices])
        if pid not in self._stopped and _signal(pid, signal.SIGSTOP):
            await self._leave_stopped(pid, ANYWHERE)

    async def _stop_at(self, place: str) -> None:
        """Start a further worker that stops itself at a place; end it a while after SIGCONT."""
        nth = self._rng.randint(1, OFTEN) if PLACES[place].often else 1
        async with self._stopping_itself:
            process = await self._stopped_itself(place, nth)
            await self._leave_stopped(process.pid, place)
            with suppress(subprocess.TimeoutExpired):
                status = await asyncio.to_thread(process.wait, self._rng.uniform(2, 8))
                self.deaths.append(f"a worker that had stopped {place} ended with {status}")
            process.kill()
            process.wait()

    async def _stopped_itself(self, place: str, nth: int) -> subprocess.Popen[bytes]:
        deadline = time.monotonic() + REACH_SECONDS
        words = ("tests.chaos.stopping_worker", place, str(nth))
        process = self._started(*words)
        while not _is_stopped(process.pid):
            if time.monotonic() > deadline:
                process.kill()
                raise TimeoutError(f"a worker never came to where it stops: {place}")
            if process.poll() is not None:  # the broker was away, or another fenced it
                process = self._started(*words)
            await asyncio.sleep(LOOK_SECONDS)
        return process

    async def _leave_stopped(self, pid: int, place: str) -> None:
        seconds = SESSION_SECONDS + self._rng.uniform(1.5, 4.0)
        self._stopped.add(pid)
        self.stops[place] += 1
        self._say(f"a worker is stopped {place} for {seconds:.1f} s, pid {pid}")
        try:
            await asyncio.sleep(seconds)
        finally:
            _signal(pid, signal.SIGCONT)
            self._stopped.discard(pid)

    async def _add_worker(self) -> None:
        self._start_worker()

    async def _remove_worker(self) -> None:
        """End a worker as an operator does: SIGTERM."""
        if not self._workers:
            return
        process = self._workers.pop(self._rng.randrange(len(self._workers))).process
        _signal(process.pid, signal.SIGCONT)
        process.terminate()
        self._say(f"removed a worker, pid {process.pid}")
        try:
            await asyncio.to_thread(process.wait, 20)
        except subprocess.TimeoutExpired:
            self.deaths.append(f"worker {process.pid} did not end within 20 s of SIGTERM")
            process.kill()
            process.wait()

    def _start_worker(self) -> None:
        if len(self._workers) >= MOST_WORKERS:
            return
        self._added += 1
        name = f"extra-{self._added}" if self._added % 2 else ""
        self._workers.append(Extra(self._started("pipeline.cli.main", "worker", name=name), name))
        self._say(f"added a worker, pid {self._workers[-1].process.pid}, name {name or 'none'}")

    def _started(self, *words: str, name: str = "") -> subprocess.Popen[bytes]:
        settings = {**self._settings, "instance": name}
        with (self._running.home / "logs" / "extra-worker.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", *words, "--home", str(self._running.home)],
                env=environment_without_settings(settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def _revive(self) -> None:
        """Start the workers of the chaos again when they end, as the supervisor does its own."""
        while True:
            for extra in self._workers:
                status = extra.process.poll()
                if status is not None:
                    if status != -signal.SIGKILL:
                        self.deaths.append(f"a worker of our own ended with {status}")
                    extra.process = self._started("pipeline.cli.main", "worker", name=extra.name)
            await asyncio.sleep(0.5)


def _is_stopped(pid: int) -> bool:
    """Whether it is stopped (proc(5): the state follows the name in parentheses)."""
    with suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    return False


def _signal(pid: int, number: signal.Signals) -> bool:
    """Send the signal; False when the process is gone."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)
        return True
    return False
