"""One run: a stack that holds messages, callbacks, top-ups at random, kills, and the check."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import aiohttp

from pipeline.clock import PipelineClock
from pipeline.kafka import topics
from tests.chaos.accounts.books import Kept, faults_of, replay_faults
from tests.chaos.accounts.payments import Payments
from tests.chaos.mayhem import _signal
from tests.support.migrated import migrated
from tests.support.running import RunningStack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PARTITIONS: Final = 4
VICTIMS: Final = ("accounts", "worker", "kafka", "ingest", "store")
WEIGHTS: Final = (5, 3, 2, 1, 1)
#: Of numbers that no other chaos has: the short runs share a stack.
ACCOUNTS: Final = {"447700900111": "bakery", "447700900112": "shop"}
AT_ONCE: Final = 32
HANDSETS: Final = 300
ALIVE_SECONDS: Final = 60.0
#: How long all may take to come out once it is paid.
DRAIN_SECONDS: Final = 240.0
END_SECONDS: Final = 60.0
#: A message in so many has two parts.
TWO_PARTS: Final = 5


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    seed: int
    messages: int
    parts: int
    credits: int
    kills: Counter[str]
    faults: list[str]

    @property
    def is_well(self) -> bool:
        return not self.faults

    def __str__(self) -> str:
        killed = ", ".join(f"{count} {name}" for name, count in sorted(self.kills.items()))
        return (
            f"seed {self.seed}: killed {killed or 'nothing'}\n{self.messages} messages of"
            f" {self.parts} parts, {self.credits} credits, {len(self.faults)} faults"
        )


def numbers_toml() -> str:
    """Two numbers, each of an account that holds."""
    return "".join(
        f'[[number]]\nnumber = "{number}"\nkind = "vmn"\napi_id = "1"\naccount = "{account}"\n'
        f'[[account]]\nname = "{account}"\nmode = "hold"\n'
        for number, account in ACCOUNTS.items()
    )


def run_chaos(
    home: Path, *, seed: int, parts: int, kills: int, pause: float, say: Callable[[str], None]
) -> Outcome:
    """Start a stack under `home`, do all this, check, and stop it."""
    (migrated(home) / "numbers.toml").write_text(numbers_toml())
    running = RunningStack(home, settings={"partitions": str(PARTITIONS)})
    try:
        running.start()
        return play_on(running, seed=seed, parts=parts, kills=kills, pause=pause, say=say)
    finally:
        running.stop(within_seconds=END_SECONDS)


def play_on(
    running: RunningStack,
    *,
    seed: int,
    parts: int,
    kills: int,
    pause: float,
    say: Callable[[str], None],
) -> Outcome:
    """Do all this on a stack with `numbers_toml`, and check."""
    run = _Run(running, seed=seed, say=say)
    return asyncio.run(run.play(parts=parts, kills=kills, pause=pause))


class _Run:
    def __init__(self, running: RunningStack, *, seed: int, say: Callable[[str], None]) -> None:
        self._running = running
        self._seed = seed
        self._rng = random.Random(seed)
        self._say = say
        self._killed: dict[str, int] = {}
        self._acknowledged: set[str] = set()
        self._parts: Counter[str] = Counter()  # by account
        self._payments = Payments(running, self._parts, partitions=PARTITIONS, seed=seed + 1)
        self._kills: Counter[str] = Counter()
        self._is_over = False

    async def play(self, *, parts: int, kills: int, pause: float) -> Outcome:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._mayhem(kills, pause, parts))
            names = list(ACCOUNTS.values())
            group.create_task(self._payments.pay_until(lambda: self._is_done(parts), names))
            numbers = self._numbers(parts)
            for _ in range(AT_ONCE):
                group.create_task(self._drive(numbers))
        self._say(f"{self._parts.total()} parts are acknowledged; paying the rest")
        await self._payments.pay_all()
        credited = self._payments.credited
        faults: list[str] = []
        deadline = time.monotonic() + DRAIN_SECONDS
        while True:
            kept = Kept(PARTITIONS, accounts=ACCOUNTS.values())
            await kept.read(self._running.stack.kafka)
            faults = list(faults_of(kept, acknowledged=self._acknowledged, credited=credited))
            if not faults or time.monotonic() > deadline:
                break
            self._say(f"{len(faults)} are not there yet")
            await asyncio.sleep(3.0)
        faults += replay_faults(kept)
        faults += await self._faults_by_sql(kept)
        return Outcome(
            seed=self._seed,
            messages=len(self._acknowledged),
            parts=self._parts.total(),
            credits=len(credited),
            kills=self._kills,
            faults=faults,
        )

    def _numbers(self, parts: int) -> Iterator[int]:
        """So many at least, and for as long as something is being killed."""
        at = 0
        while not self._is_done(parts):
            yield at
            at += 1

    def _is_done(self, parts: int) -> bool:
        return self._is_over and self._parts.total() >= parts

    async def _drive(self, numbers: Iterator[int]) -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http:
            for at in numbers:
                number = tuple(ACCOUNTS)[at % 2]
                parts = 2 if at % TWO_PARTS == 0 else 1
                for part in range(1, parts + 1):
                    while not await self._sent(http, at, number, part, parts):  # noqa: ASYNC110
                        await asyncio.sleep(0.3)
                self._acknowledged.add(f"m{at}")
                self._parts[ACCOUNTS[number]] += parts

    async def _sent(
        self, http: aiohttp.ClientSession, at: int, number: str, part: int, parts: int
    ) -> bool:
        udh = f"060804{at % 65_536:04X}{parts:02X}{part:02X}" if parts > 1 else ""
        query = {
            "api_id": "1",
            "from": f"4479{at % HANDSETS:08}",
            "to": number,
            "text": f"m{at}",
            "charset": "ISO-8859-1",
            "udh": udh,
            "moMsgId": f"m{at}-{part}",
        }
        try:
            address = f"{self._running.stack.ingest}/mo/http?{urlencode(query)}"
            async with http.get(address) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, OSError, TimeoutError, AssertionError):
            return False

    async def _mayhem(self, kills: int, pause: float, parts: int) -> None:
        victims = [*VICTIMS, *self._rng.choices(VICTIMS, WEIGHTS, k=kills)][:kills]
        self._rng.shuffle(victims)
        try:
            for at, name in enumerate(victims):
                await asyncio.sleep(self._rng.uniform(0.3, 1.7) * pause)
                while self._parts.total() < parts * at / (kills + 1):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
                pid = await self._pid_of(name)
                self._killed[name] = pid
                _signal(pid, signal.SIGKILL)
                self._kills[name] += 1
                self._say(f"killed {name}, pid {pid}; {self._parts.total()} parts so far")
        finally:
            self._is_over = True

    async def _pid_of(self, name: str) -> int:
        """Of the process that is there after the one killed before."""
        deadline = time.monotonic() + ALIVE_SECONDS
        while True:
            pid = self._running.stack.pids.get(name, 0)
            if pid and pid != self._killed.get(name):
                return pid
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} is not there again\n{self._running.said()}")
            await asyncio.sleep(0.2)

    async def _faults_by_sql(self, kept: Kept) -> list[str]:
        """Accounts whose sums and months ClickHouse does not have as the topics do."""
        entries = kept.values(topics.ACCOUNT_ENTRY)
        wanted = {
            account: (
                sum(each.units for each in entries if each.account == account),
                sum(each.account == account for each in entries),
            )
            for account in ACCOUNTS.values()
        }
        query = (
            "SELECT account, toString(sum(units)) AS units, toString(count()) AS n"
            " FROM account_entry GROUP BY account"
        )
        found: dict[str, tuple[int, int]] = {}
        deadline = time.monotonic() + DRAIN_SECONDS
        while found != wanted and time.monotonic() < deadline:
            said = await asyncio.to_thread(self._running.cli, "sql", query, check=False)
            rows = [single for single in said.stdout.splitlines() if single.startswith("{")]
            found = {r["account"]: (int(r["units"]), int(r["n"])) for r in map(json.loads, rows)}
            await asyncio.sleep(1.0)
        faults = [
            f"{account}: ClickHouse has {found.get(account)}, the topics {wanted[account]}"
            for account in wanted
            if found.get(account) != wanted[account]
        ]
        month = f"{PipelineClock(self._running.home).now():%Y-%m}"
        for account in wanted:
            words = ("account", "statement", account, month)
            said = await asyncio.to_thread(self._running.cli, *words, check=False)
            if said.returncode:
                faults.append(f"{account}: the statement says {said.stdout[-300:]}{said.stderr}")
        return faults
