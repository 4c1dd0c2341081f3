"""What goes wrong, and when: SIGKILL, SIGSTOP beyond the session, workers that come and go."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.running import environment_without_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from tests.running import RunningStack

SESSION_SECONDS: Final = 10  # pipeline.engine.app: broker_session_timeout
ALIVE_SECONDS: Final = 45.0  # how long a victim may take to be there again
MOST_WORKERS: Final = 2
VICTIMS: Final = ("worker", "ingest", "store", "kafka")
WEIGHTS: Final = (8, 4, 4, 3)


class Mayhem:
    """Does `kills` kills and a few stops to a stack and to workers of its own, by a seed."""

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
        self._workers: list[subprocess.Popen[bytes]] = []
        self._killed: dict[str, int] = {}  # the process id killed last, by name
        self._plan = self._planned(kills)
        self._stopped: set[int] = set()
        self.kills = 0
        self.stops = 0
        self.deaths: list[str] = []  # of our own workers, by themselves

    @property
    def steps(self) -> int:
        """How many things will be done."""
        return len(self._plan)

    def _planned(self, kills: int) -> list[Callable[[], Coroutine[None, None, None]]]:
        """Each victim once at least, where there are that many."""
        names = [*VICTIMS, *self._rng.choices((*VICTIMS, "extra"), (*WEIGHTS, 4), k=kills)][:kills]
        steps = [self._kill_step(name) for name in names]
        steps += [self._stop_worker] * max(1, kills // 10)
        steps += [self._stop_joining] * (kills // 10)
        steps += [self._add_worker, self._remove_worker] * (kills // 8)
        self._rng.shuffle(steps)
        return [self._add_worker, *steps]

    def _kill_step(self, name: str) -> Callable[[], Coroutine[None, None, None]]:
        async def kill() -> None:
            await self._kill(name)

        return kill

    async def run(self, *, pause: float) -> None:
        """Everything, with about `pause` seconds between; what is stopped goes on in the end."""
        try:
            async with asyncio.TaskGroup() as group:
                keeper = group.create_task(self._revive())
                stops: list[asyncio.Task[None]] = []
                for step in self._plan:
                    await asyncio.sleep(self._rng.uniform(0.3, 1.7) * pause)
                    if step in (self._stop_worker, self._stop_joining):
                        stops.append(group.create_task(step()))
                    else:
                        await step()
                await asyncio.gather(*stops)
                keeper.cancel()
        finally:
            for pid in self._stopped:
                _signal(pid, signal.SIGCONT)

    def end(self) -> None:
        """End the workers of our own."""
        for process in self._workers:
            _signal(process.pid, signal.SIGCONT)
            process.kill()
            process.wait()

    async def _kill(self, name: str) -> None:
        if name == "extra":
            if not self._workers:
                self._start_worker()
            victim = self._rng.choice(self._workers)
            victim.kill()
            self.kills += 1
            self._say("killed a worker of our own")
            return
        pid = await self._pid_of(name)
        self._killed[name] = pid
        _signal(pid, signal.SIGKILL)
        self.kills += 1
        self._say(f"killed {name}, pid {pid}")

    async def _pid_of(self, name: str) -> int:
        """The process id of a program of the stack, once it is not the one killed before."""
        deadline = time.monotonic() + ALIVE_SECONDS
        while True:
            pid = self._running.stack.pids[name]
            if pid != self._killed.get(name) and self._is_of_the_stack(pid):
                return pid
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} is not there again\n{self._running.said()}")
            await asyncio.sleep(0.2)

    def _is_of_the_stack(self, pid: int) -> bool:
        """Process ids are given again: ours names its home."""
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
        except FileNotFoundError:
            return False
        return str(self._running.home).encode() in words

    async def _stop_worker(self) -> None:
        """Wherever it is, inside a transaction too."""
        choices = [process.pid for process in self._workers if process.poll() is None]
        pid = self._rng.choice([await self._pid_of("worker"), *choices])
        await self._stop(pid)

    async def _stop_joining(self) -> None:
        """A worker that has just begun: among them moments between assignment and fence."""
        process = self._start_worker()
        await asyncio.sleep(self._rng.uniform(1.5, 5.0))
        await self._stop(process.pid)

    async def _stop(self, pid: int) -> None:
        if pid in self._stopped:
            return
        seconds = SESSION_SECONDS + self._rng.uniform(1.5, 4.0)
        self._stopped.add(pid)
        self._say(f"stopped a worker for {seconds:.1f} s, pid {pid}")
        try:
            if _signal(pid, signal.SIGSTOP):
                self.stops += 1
            await asyncio.sleep(seconds)
        finally:
            _signal(pid, signal.SIGCONT)
            self._stopped.discard(pid)

    async def _add_worker(self) -> None:
        self._start_worker()

    async def _remove_worker(self) -> None:
        """As an operator does: SIGTERM."""
        if not self._workers:
            return
        process = self._workers.pop(self._rng.randrange(len(self._workers)))
        _signal(process.pid, signal.SIGCONT)
        process.terminate()
        self._say(f"removed a worker, pid {process.pid}")
        try:
            await asyncio.to_thread(process.wait, 20)
        except subprocess.TimeoutExpired:
            self.deaths.append(f"worker {process.pid} did not end within 20 s of SIGTERM")
            process.kill()
            process.wait()

    def _start_worker(self) -> subprocess.Popen[bytes]:
        if len(self._workers) >= MOST_WORKERS:
            return self._rng.choice(self._workers)
        process = self._started()
        self._workers.append(process)
        self._say(f"added a worker, pid {process.pid}")
        return process

    def _started(self) -> subprocess.Popen[bytes]:
        home = str(self._running.home)
        with (self._running.home / "logs" / "extra-worker.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", "pipeline.cli", "worker", "--home", home],
                env=environment_without_settings(self._settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def _revive(self) -> None:
        """Start our own workers again when they end, as the supervisor does with its own."""
        while True:
            for index, process in enumerate(self._workers):
                status = process.poll()
                if status is not None:
                    if status != -signal.SIGKILL:
                        self.deaths.append(f"a worker of our own ended with {status}")
                    self._workers[index] = self._started()
            await asyncio.sleep(0.5)


def _signal(pid: int, number: signal.Signals) -> bool:
    """Send it; False when the process is gone."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)
        return True
    return False
