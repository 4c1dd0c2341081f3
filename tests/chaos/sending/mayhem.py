"""The faults: SIGKILL, SIGSTOP of a sender beyond its permit, one sender more or fewer."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Final

from tests.chaos.mayhem import _signal
from tests.support.running import environment_without_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from tests.support.running import RunningStack

PERMIT_SECONDS: Final = 10.0
ALIVE_SECONDS: Final = 60.0
LOOK_SECONDS: Final = 0.1
VICTIMS: Final = ("sender", "worker", "kafka", "second sender")
WEIGHTS: Final = (4, 3, 2, 3)


class Mayhem:
    """`kills` kills, and for every five of them one stop and one sender that comes and goes."""

    def __init__(
        self, running: RunningStack, *, seed: int, kills: int, say: Callable[[str], None]
    ) -> None:
        self._running = running
        self._rng = random.Random(seed)
        self._say = say
        self._second: subprocess.Popen[bytes] | None = None
        self._killed: dict[str, int] = {}
        self._stopped: set[int] = set()
        self.kills: Counter[str] = Counter()
        self.stops = self.moves = 0
        self.deaths: list[str] = []
        self.is_over = False
        names = [*VICTIMS, *self._rng.choices(VICTIMS, WEIGHTS, k=kills)][:kills]
        steps: list[Callable[[], Coroutine[None, None, None]]] = [self._kill(n) for n in names]
        for _ in range(max(1, kills // 5)):
            steps += [self._stop, self._come_and_go]
        self._rng.shuffle(steps)
        self._plan = steps

    @property
    def steps(self) -> int:
        """How many faults there will be."""
        return len(self._plan)

    def begin(self) -> None:
        """Start the second sender."""
        self._second = self._started()

    def end(self) -> None:
        """End the second sender; stopped processes continue."""
        for pid in self._stopped:
            _signal(pid, signal.SIGCONT)
        if self._second is not None:
            self._second.kill()
            self._second.wait()

    async def run(self, *, pause: float, done: Callable[[], float]) -> None:
        """Do all faults, spread over the load; `done` is the share of the load that is done."""
        try:
            async with asyncio.TaskGroup() as group:
                keeper = group.create_task(self._revive())
                stops: list[asyncio.Task[None]] = []
                for number, step in enumerate(self._plan):
                    await asyncio.sleep(self._rng.uniform(0.3, 1.7) * pause)
                    while done() < number / (len(self._plan) + 1):  # noqa: ASYNC110 - none tells
                        await asyncio.sleep(LOOK_SECONDS)
                    if step == self._stop:
                        stops.append(group.create_task(step()))
                    else:
                        await step()
                await asyncio.gather(*stops)
                keeper.cancel()
        finally:
            self.is_over = True

    def _kill(self, name: str) -> Callable[[], Coroutine[None, None, None]]:
        async def kill() -> None:
            pid = await self._pid_of(name)
            self._killed[name] = pid
            _signal(pid, signal.SIGKILL)
            self.kills[name] += 1
            self._say(f"killed {name}, pid {pid}")

        return kill

    async def _pid_of(self, name: str) -> int:
        """The process id of the process that replaced the one that was killed before."""
        deadline = time.monotonic() + ALIVE_SECONDS
        while True:
            if name == "second sender":
                is_there = self._second is not None and self._second.poll() is None
                pid = self._second.pid if self._second is not None and is_there else 0
            else:
                pid = self._running.stack.pids[name]
            if pid and pid != self._killed.get(name):
                return pid
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} is not there again\n{self._running.said()}")
            await asyncio.sleep(0.2)

    async def _stop(self) -> None:
        """Stop a sender for longer than any of its permits is good."""
        pid = await self._pid_of(self._rng.choice(("sender", "second sender")))
        seconds = PERMIT_SECONDS + self._rng.uniform(1.0, 4.0)
        if pid in self._stopped or not _signal(pid, signal.SIGSTOP):
            return
        self._stopped.add(pid)
        self.stops += 1
        self._say(f"a sender is stopped for {seconds:.1f} s, pid {pid}")
        try:
            await asyncio.sleep(seconds)
        finally:
            _signal(pid, signal.SIGCONT)
            self._stopped.discard(pid)

    async def _come_and_go(self) -> None:
        """Let a third sender take partitions over during calls, and give them back."""
        third = self._started()
        self.moves += 1
        self._say(f"added a sender, pid {third.pid}")
        await asyncio.sleep(self._rng.uniform(6.0, 9.0))
        third.terminate()
        try:
            status = await asyncio.to_thread(third.wait, 40)
        except subprocess.TimeoutExpired:
            self.deaths.append(f"sender {third.pid} did not end within 40 s of SIGTERM")
            third.kill()
            third.wait()
        else:
            if status not in (0, -signal.SIGTERM):  # the latter: while it starts
                self.deaths.append(f"a sender that was to end ended with {status}")
        self._say(f"took the sender away again, pid {third.pid}")

    def _started(self) -> subprocess.Popen[bytes]:
        words = ("pipeline.cli.main", "sender", "--home", str(self._running.home))
        with (self._running.home / "logs" / "second-sender.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", *words],
                env=environment_without_settings(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def _revive(self) -> None:
        """Start the second sender again when it ends, as a supervisor does."""
        while True:
            if self._second is not None and (status := self._second.poll()) is not None:
                if status != -signal.SIGKILL:
                    self.deaths.append(f"the second sender ended with {status}")
                self._second = self._started()
            await asyncio.sleep(0.5)
