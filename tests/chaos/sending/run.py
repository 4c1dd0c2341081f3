"""One run: a gateway, a stack with two senders, traffic, faults, and the checker's findings."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import aiohttp
from aiokafka import AIOKafkaConsumer, TopicPartition

from pipeline.avro import single_object
from tests.chaos.checker import Entry
from tests.chaos.logs import check_texts
from tests.chaos.sending.checker import ENDED, NEVER_SENT, Arrival, Findings, Records, check
from tests.chaos.sending.driver import KEYS, Driver, conversations
from tests.chaos.sending.mayhem import Mayhem
from tests.chaos.sending.places import (
    ARRIVED,
    FTP_PASSWORD,
    PASSWORD,
    PORTS,
    apis_toml,
    numbers_toml,
)
from tests.support.migrated import migrated
from tests.support.running import RunningStack

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping
    from pathlib import Path

    from tests.chaos.sending.driver import Conversation

PARTITIONS: Final = 4
END_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.5
QUIET_SECONDS: Final = 2.0
#: No new record for so long: no permit is good, no call goes on, and no retry is due soon. What is
#: open then is a permit without a result, and what waits behind it. It ends when the clock goes on.
STUCK_SECONDS: Final = 20.0
LONGEST_WAIT: Final = 240.0
#: Permits lapse after 100 s; the gateway is asked after 1, 5, 11 and 30 minutes, 2, 8 and 24 hours;
#: confirmations are due 5 h 45 min after a STOP, and may go for 15 minutes. What the gateway does
#: not know may go again meanwhile.
ADVANCES: Final = ("3m", "9m", "334m", "27h")
TOPICS: Final = ("mt-command", "mt-state")
#: What no log may have, and whose logs are searched for it.
SECRETS: Final = (PASSWORD, FTP_PASSWORD)
PROCESSES: Final = ("kafka", "ingest", "worker", "store", "sender")


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    seed: int
    commands: int
    kills: Counter[str]
    stops: int
    moves: int
    fates: Counter[str]
    states: Counter[str]
    findings: Findings
    deaths: list[str]

    def __str__(self) -> str:
        tried = ", ".join(f"{count} {name}" for name, count in sorted(self.kills.items()))
        fates = ", ".join(f"{count} {name}" for name, count in sorted(self.fates.items()))
        states = ", ".join(f"{count} {name}" for name, count in sorted(self.states.items()))
        return (
            f"killed {tried}; stopped {self.stops} senders beyond a permit; a sender came and went"
            f" {self.moves} times\n"
            f"the gateway saw: {fates}\ncommands ended: {states}\n"
            f"commands {self.commands}, {self.findings}"
        )


def run_chaos(
    home: Path, *, seed: int, commands: int, kills: int, pause: float, say: Callable[[str], None]
) -> Outcome:
    """Start a gateway beside `home` and a stack in it, run traffic and faults, check, stop both."""
    with gateway_beside(home, seed=seed) as ports:
        (migrated(home) / "numbers.toml").write_text(numbers_toml())
        running = RunningStack(home, settings=settings_for(ports))
        try:
            running.start()
            outcome = play_on(
                running, ports, seed=seed, commands=commands, kills=kills, pause=pause, say=say
            )
        finally:
            running.stop(within_seconds=END_SECONDS)
    check_texts(outcome.findings, home, KEYS, secrets=SECRETS, processes=PROCESSES)
    return outcome


@contextmanager
def gateway_beside(home: Path, *, seed: int) -> Iterator[dict[str, int]]:
    """The gateway's ports by protocol; `home` has the file by which senders call it."""
    folder = home.parent
    gateway = subprocess.Popen(
        [sys.executable, "-m", "tests.chaos.sending.gateway", str(folder), str(seed)],
        stdin=subprocess.DEVNULL,
    )
    try:
        ports = _ports(gateway, folder)
        home.mkdir(parents=True)
        (home / "apis.toml").touch(mode=0o600)
        (home / "apis.toml").write_text(apis_toml(ports))
        yield ports
    finally:
        gateway.kill()
        gateway.wait()


def settings_for(ports: Mapping[str, int]) -> dict[str, str]:
    """The settings of a stack beside the gateway with these ports."""
    return {
        "partitions": str(PARTITIONS),
        "smpp_host": "127.0.0.1",
        "smpp_port": str(ports["smpp"]),
        "smpp_system_id": "two",
        "smpp_password": PASSWORD,
        "smpp_tls": "off",
    }


def play_on(
    running: RunningStack,
    ports: Mapping[str, int],
    *,
    seed: int,
    commands: int,
    kills: int,
    pause: float,
    say: Callable[[str], None],
) -> Outcome:
    """Run traffic and faults on a stack with `numbers_toml` beside the gateway, and check.

    The logs are for the caller to check, once the stack has ended.
    """
    mayhem = Mayhem(running, seed=seed, kills=kills, say=say)
    run = _Run(running, mayhem, web=ports["http"], say=say)
    try:
        return asyncio.run(run.play(seed=seed, commands=commands, pause=pause))
    finally:
        mayhem.end()


def _ports(gateway: subprocess.Popen[bytes], folder: Path) -> dict[str, int]:
    deadline = time.monotonic() + 30
    while not (folder / PORTS).is_file():
        if gateway.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("the gateway did not come up")
        time.sleep(0.1)
    ports: dict[str, int] = json.loads((folder / PORTS).read_text())
    return ports


class _Run:
    def __init__(
        self,
        running: RunningStack,
        mayhem: Mayhem,
        *,
        web: int,
        say: Callable[[str], None],
    ) -> None:
        self._running = running
        self._mayhem = mayhem
        self._folder = running.home.parent
        self._web = f"http://127.0.0.1:{web}/run"
        self._say = say
        self._entries: dict[str, list[Entry]] = {topic: [] for topic in TOPICS}
        self.handsets: frozenset[str] = frozenset()

    async def play(self, *, seed: int, commands: int, pause: float) -> Outcome:
        stack, mayhem = self._running.stack, self._mayhem
        seconds = mayhem.steps * (pause + 3)
        await self._ask_gateway(stack.ingest)
        mayhem.begin()
        driver = Driver(
            ingest=stack.ingest,
            commands=commands,
            rate=commands / seconds,
            seconds=4 * seconds + 300,
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(driver.run(self._load(driver, commands, seed)))
            group.create_task(mayhem.run(pause=pause, done=lambda: driver.asked / commands))
        self._say(f"{driver.asked} requests are acknowledged; waiting for the rest to go out")
        records = await self._until_ended()
        arrivals = self._arrivals()
        self.handsets = frozenset(command.handset for command in records.commands)
        seen = {"GET /mt": await self._asked(records), "mt_now": await self._stored(records)}
        findings = check(records, arrivals, driver.log, seen)
        return Outcome(
            seed=seed,
            commands=len(records.commands),
            kills=mayhem.kills,
            stops=mayhem.stops,
            moves=mayhem.moves,
            fates=Counter(f"{each.fate} by {each.way}" for each in arrivals),
            states=Counter(_how(records, each.command_id) for each in records.commands),
            findings=findings,
            deaths=mayhem.deaths,
        )

    def _load(self, driver: Driver, commands: int, seed: int) -> Iterator[Conversation]:
        """Play at least this many requests, and more until the last fault is done."""
        for conversation in conversations(sys.maxsize, seed=seed):
            if driver.asked >= commands and self._mayhem.is_over:
                return
            yield conversation

    async def _until_ended(self) -> Records:
        """Advance the clock until no command is open; never advance it while a permit is good."""
        records = await self._until_quiet(or_stuck=True)
        for by in ADVANCES:
            self._say(f"advancing the clock by {by}: {_counts(records)}")
            await asyncio.to_thread(self._running.cli, "clock", "advance", by)
            records = await self._until_quiet(or_stuck=by != ADVANCES[-1])
        return records

    async def _until_quiet(self, *, or_stuck: bool) -> Records:
        """Wait until no permit is good, every status is taken, and no new record comes.

        A command that waits for its time or its turn is waited for, too; with `or_stuck` only as
        long as anything moves.
        """
        last, since, begun = -1, time.monotonic(), time.monotonic()
        while True:
            records = await self._read()
            count = sum(map(len, records.states.values()))
            if count != last:
                last, since = count, time.monotonic()
            now = Counter(records.last(each.command_id) for each in records.commands)
            is_open = any(state not in ENDED for state in now)
            left = await self._ask_gateway("")
            patience = STUCK_SECONDS if is_open else QUIET_SECONDS
            may_end = or_stuck or not is_open
            if may_end and not left and time.monotonic() - since > patience:
                return records
            if time.monotonic() - begun > LONGEST_WAIT:
                self._say(f"is not quiet: {_counts(records)}, {left} statuses left")
                return records
            await asyncio.sleep(POLL_SECONDS)

    async def _read(self) -> Records:
        """Read both topics from where they were read before."""
        await _read_on(self._running.stack.kafka, self._entries)
        return Records.from_entries(self._entries["mt-command"], self._entries["mt-state"])

    async def _ask_gateway(self, ingest: str) -> int:
        """Tell the gateway the address of ingest, if known; return how many statuses are left."""
        async with aiohttp.ClientSession() as http, http.post(self._web, data=ingest) as answer:
            return int((await answer.json())["under_way"])

    def _arrivals(self) -> list[Arrival]:
        lines = (self._folder / ARRIVED).read_text(encoding="utf-8").splitlines()
        fields = Arrival._fields
        return [
            Arrival(**{name: value for name, value in json.loads(line).items() if name in fields})
            for line in lines
        ]

    async def _asked(self, records: Records) -> dict[str, str]:
        """What `GET /mt` answers for each command; it knows no command that nobody requested."""
        wanted = {c.request_id: c.command_id for c in records.commands if c.request_id}
        found = {c.command_id: records.last(c.command_id) for c in records.commands}
        address = self._running.stack.ingest
        async with aiohttp.ClientSession() as http:
            for request_id, command_id in wanted.items():
                async with http.get(f"{address}/mt/{request_id}") as answer:
                    said = (await answer.json()).get("mt_state") or {}
                    found[command_id] = said.get("state", "nothing")
        return found

    async def _stored(self, records: Records) -> dict[str, str]:
        """The states in ClickHouse, once it has as many rows as there are records."""
        count = sum(map(len, records.states.values()))

        async def is_there() -> bool:
            (row,) = await self._sql("SELECT count() AS n FROM mt_state")
            return int(str(row["n"])) >= count

        await _until(is_there, 60.0)
        rows = await self._sql("SELECT command_id, state FROM mt_now")
        return {str(row["command_id"]): str(row["state"]) for row in rows}

    async def _sql(self, query: str) -> list[dict[str, object]]:
        address = f"{self._running.stack.report}/sql"
        async with (
            aiohttp.ClientSession() as http,
            http.post(address, json={"query": query}) as answer,
        ):
            return [json.loads(line) for line in (await answer.text()).splitlines()]


def _how(records: Records, command_id: str) -> str:
    """The last state, and the code of states that say why nothing was sent."""
    state = records.last(command_id)
    return f"{state} {records.states[command_id][-1].record.code}" if state in NEVER_SENT else state


def _counts(records: Records) -> str:
    now = Counter(records.last(each.command_id) or "unspoken" for each in records.commands)
    return ", ".join(f"{count} {state}" for state, count in now.most_common())


async def _until(holds: Callable[[], Awaitable[bool]], seconds: float) -> None:
    """Wait until the condition holds or the time is over; the checker reports it then."""
    deadline = time.monotonic() + seconds
    while not await holds() and time.monotonic() < deadline:  # noqa: ASYNC110 - none tells
        await asyncio.sleep(POLL_SECONDS)


async def _read_on(bootstrap: str, entries: dict[str, list[Entry]]) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed")
    await consumer.start()
    try:
        wanted = [TopicPartition(t, p) for t in entries for p in range(PARTITIONS)]
        consumer.assign(wanted)
        for tp in wanted:
            known = [e.offset for e in entries[tp.topic] if e.partition == tp.partition]
            consumer.seek(tp, max(known, default=-1) + 1)
        ends = await consumer.end_offsets(wanted)
        deadline = time.monotonic() + 20
        while any([await consumer.position(tp) < end for tp, end in ends.items()]):
            if time.monotonic() > deadline:
                return
            for tp, found in (await consumer.getmany(timeout_ms=200)).items():
                entries[tp.topic] += [
                    Entry(tp.partition, r.offset, r.timestamp, single_object.decode(r.value))
                    for r in found
                ]
    finally:
        await consumer.stop()
