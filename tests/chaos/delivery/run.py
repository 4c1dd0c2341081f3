"""One run: a stack with two reply paths, callbacks, kills, and what the applications got."""

from __future__ import annotations

import asyncio
import math
import random
import signal
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp

from tests.chaos.mayhem import _signal
from tests.support.migrated import migrated
from tests.support.running import RunningStack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PARTITIONS: Final = 4
WINDOW: Final = 16
VICTIMS: Final = ("deliver", "worker", "kafka", "ingest", "store")
WEIGHTS: Final = (5, 2, 2, 1, 1)
#: No other chaos has these: the short runs share a stack.
NUMBERS: Final = ("447700900121", "447700900122")
AT_ONCE: Final = 32
ALIVE_SECONDS: Final = 60.0
LONGEST_WAIT: Final = 240.0
#: What has not come when so long nothing came waits for its time, or for a killed one's session.
QUIET_SECONDS: Final = 10.0
#: How long the store may take to have what became of all.
TOLD_SECONDS: Final = 30.0
END_SECONDS: Final = 60.0
#: The application fails so often, with 500 or by hanging up: that is tried again in 2 minutes.
FAILS: Final = 0.02
ADVANCES: Final = 8


@dataclass
class Seen:
    """What the applications got: how often each message was answered 2xx, and how often not."""

    taken: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)


class Application:
    """Both paths' application: it takes most of what it gets."""

    def __init__(self, *, seed: int) -> None:
        self.seen = Seen()
        seen, rng, lock = self.seen, random.Random(seed), threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer(urlsplit(self.path).query)

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                self._answer(self.rfile.read(length).decode())

            def _answer(self, form: str) -> None:
                text = parse_qs(form)["text"][0]
                with lock:
                    chance = rng.random()
                    (seen.refused if chance < FAILS else seen.taken)[text] += 1
                if chance < FAILS / 2:
                    self.close_connection = True
                    return
                self.send_response(500 if chance < FAILS else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Say nothing of a connection that ended because its process was killed."""
                if not isinstance(sys.exc_info()[1], ConnectionError):
                    super().handle_error(request, client_address)

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    seed: int
    messages: int
    kills: Counter[str]
    lost: list[str]
    twice: int
    allowed_twice: int
    not_told: int

    @property
    def is_well(self) -> bool:
        return not self.lost and self.twice <= self.allowed_twice and not self.not_told

    def __str__(self) -> str:
        tried = ", ".join(f"{count} {name}" for name, count in sorted(self.kills.items()))
        return (
            f"seed {self.seed}: killed {tried or 'nothing'}\n{self.messages} messages,"
            f" {len(self.lost)} lost, {self.twice} twice of {self.allowed_twice} allowed,"
            f" {self.not_told} not delivered by SQL"
        )


def numbers_toml(url: str) -> str:
    """Two numbers with a path each."""
    paths = "".join(
        f'[[number]]\nnumber = "{number}"\nkind = "vmn"\napi_id = "1"\nreply_path = "p{at}"\n'
        for at, number in enumerate(NUMBERS)
    )
    ways = ("http-get", "http-post")
    return paths + "".join(
        f'[reply_path.p{at}]\nway = "{way}"\nurl = "{url}"\nwindow = {WINDOW}\n'
        for at, way in enumerate(ways)
    )


def run_chaos(
    home: Path, *, seed: int, messages: int, kills: int, pause: float, say: Callable[[str], None]
) -> Outcome:
    """Start a stack under `home`, do all this, check, and stop it."""
    application = Application(seed=seed)
    (migrated(home) / "numbers.toml").write_text(numbers_toml(application.url))
    running = RunningStack(home, settings={"partitions": str(PARTITIONS)})
    try:
        running.start()
        return play_on(
            running, application, seed=seed, messages=messages, kills=kills, pause=pause, say=say
        )
    finally:
        running.stop(within_seconds=END_SECONDS)
        application.close()


def play_on(
    running: RunningStack,
    application: Application,
    *,
    seed: int,
    messages: int,
    kills: int,
    pause: float,
    say: Callable[[str], None],
) -> Outcome:
    """Do all this on a stack with the application's `numbers_toml`, and check."""
    run = _Run(running, application.seen, seed=seed, say=say)
    return asyncio.run(run.play(messages=messages, kills=kills, pause=pause))


class _Run:
    def __init__(
        self, running: RunningStack, seen: Seen, *, seed: int, say: Callable[[str], None]
    ) -> None:
        self._running = running
        self._seen = seen
        self._seed = seed
        self._rng = random.Random(seed)
        self._say = say
        self._killed: dict[str, int] = {}
        self._acknowledged: set[str] = set()
        self._kills: Counter[str] = Counter()
        self._is_over = False

    async def play(self, *, messages: int, kills: int, pause: float) -> Outcome:
        texts = self._texts(messages)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._mayhem(kills, pause, messages))
            for _ in range(AT_ONCE):
                group.create_task(self._drive(texts))
        self._say(f"{len(self._acknowledged)} messages are acknowledged; waiting for the rest")
        for _ in range(ADVANCES):
            if await self._until_all(20.0, quiet=QUIET_SECONDS):
                break
            await self._advance("5m")
        await self._until_all(LONGEST_WAIT / 4)
        not_told = await self._not_told()
        for _ in range(
            ADVANCES
        ):  # taken, but its answer was lost: it is tried again, and told then
            if not not_told:
                break
            self._say(f"{not_told} are not told yet")
            await self._advance("5m")
            not_told = await self._not_told()
        taken = self._seen.taken
        return Outcome(
            seed=self._seed,
            messages=len(self._acknowledged),
            kills=self._kills,
            lost=sorted(self._acknowledged - set(taken)),
            twice=sum(count - 1 for count in taken.values()),
            allowed_twice=self._kills.total() * 2 * WINDOW * PARTITIONS,
            not_told=not_told,
        )

    def _texts(self, count: int) -> Iterator[str]:
        """So many at least, and for as long as something is being killed."""
        at = 0
        while at < count or not self._is_over:
            yield f"m{at}"
            at += 1

    async def _drive(self, texts: Iterator[str]) -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http:
            for text in texts:
                while not await self._sent(http, text):  # noqa: ASYNC110 - none tells
                    await asyncio.sleep(0.3)
                self._acknowledged.add(text)
                if not self._is_over:
                    await asyncio.sleep(0.02)

    async def _sent(self, http: aiohttp.ClientSession, text: str) -> bool:
        at = int(text[1:])
        query = {
            "api_id": "1",
            "from": f"4479{at % 500:08}",
            "to": NUMBERS[at % 2],
            "text": text,
            "charset": "ISO-8859-1",
            "udh": "",
            "moMsgId": text,
        }
        try:
            address = f"{self._running.stack.ingest}/mo/http?{urlencode(query)}"
            async with http.get(address) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, OSError, TimeoutError, AssertionError):
            return False

    async def _mayhem(self, kills: int, pause: float, messages: int) -> None:
        victims = [*VICTIMS, *self._rng.choices(VICTIMS, WEIGHTS, k=kills)][:kills]
        self._rng.shuffle(victims)
        try:
            for at, name in enumerate(victims):
                await asyncio.sleep(self._rng.uniform(0.3, 1.7) * pause)
                while len(self._acknowledged) < messages * at / (kills + 1):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
                pid = await self._pid_of(name)
                self._killed[name] = pid
                _signal(pid, signal.SIGKILL)
                self._kills[name] += 1
                self._say(f"killed {name}, pid {pid}")
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

    async def _advance(self, by: str) -> None:
        """Advance the clock, once the stack is whole again."""
        deadline = time.monotonic() + ALIVE_SECONDS
        while True:
            said = await asyncio.to_thread(self._running.cli, "clock", "advance", by, check=False)
            if not said.returncode:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"{said.stderr}\n{self._running.said()}")
            await asyncio.sleep(1.0)

    async def _until_all(self, seconds: float, *, quiet: float = math.inf) -> bool:
        """Until every message that was acknowledged was taken; whether it is so.

        It ends, too, when nothing has come for so long as `quiet`: the clock must go on then.
        """
        now = last = time.monotonic()
        deadline, taken = now + seconds, 0
        while now < min(deadline, last + quiet):
            if self._acknowledged <= set(self._seen.taken):
                return True
            if (count := self._seen.taken.total()) != taken:
                taken, last = count, now
            await asyncio.sleep(0.3)
            now = time.monotonic()
        return False

    async def _not_told(self) -> int:
        """Deliveries that SQL does not have as delivered, once the store has caught up."""
        deadline = time.monotonic() + TOLD_SECONDS
        query = "SELECT countIf(state = 'delivered') AS done, count() AS n FROM delivery_now"
        left = len(self._acknowledged)
        while time.monotonic() < deadline:
            try:
                said = await asyncio.to_thread(self._running.cli, "sql", query, check=False)
                done = int(said.stdout.partition('"done":')[2].partition(",")[0].strip('"'))
                left = len(self._acknowledged) - done
            except ValueError:
                continue
            if left <= 0:
                break
            await asyncio.sleep(1.0)
        return max(0, left)
