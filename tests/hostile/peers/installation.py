"""A whole installation of our processes, with a lying proxy before each of their peers.

The broker has a listener for each process, so that each has a proxy of its own. ClickHouse is the
embedded engine behind HTTP. The gateways are honest; only the proxies lie.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import httpx

from pipeline.cli.local.kafka import LocalKafka
from pipeline.cli.local.ports import free_port
from pipeline.home.process import start_process
from pipeline.kafka.admin import create_topics
from pipeline.settings import Settings
from pipeline.store.clickhouse.database import FOLDER_NAME
from pipeline.wire import http_form
from pipeline.wire.mo_log import render
from tests.hostile import lying_ftp, lying_smpp
from tests.hostile.lies import NUMBER, SECRET, TEXT
from tests.hostile.lying_server import lying_server, wait_until
from tests.hostile.peers import tongues
from tests.hostile.peers.proxy import LyingProxy, lying_proxy
from tests.hostile.peers.watched import LOOK_SECONDS, Watched, kilobytes_of, watched
from tests.hostile.peers.ways_out import WaysOut, listens
from tests.support.migrated import migrated
from tests.support.mo import callback
from tests.support.running import environment_without_settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PARTITIONS: Final = 2
#: The broker has a listener for each of these, with a proxy before it.
PROCESSES: Final = ("ingest", "worker", "store", "smpp", "ftp", "sender")
MT: Final = ("mt", "--to", f"+{NUMBER}", "--text", TEXT)
SQL: Final = ("sql", "SELECT 1 AS n")
OF_KAFKA: Final = (*PROCESSES, "cli")
#: Seconds for an answer of ingest or the report, which asks ClickHouse twice for a page.
PATIENCE_SECONDS: Final = 10
#: A process may end between two requests, and its connections with it.
ONE_REQUEST: Final = httpx.Limits(max_keepalive_connections=0)
_serial: Final = itertools.count(1)


class ManyListeners(LocalKafka):
    """A broker that advertises to each client the proxy by which the client connected."""

    def __init__(self, *, home: Path, proxies: Mapping[str, LyingProxy]) -> None:
        super().__init__(home=home, partitions=PARTITIONS)
        self._proxies = proxies

    def prepare(self) -> list[str]:
        words = super().prepare()
        file = Path(words[-1])
        listeners = advertised = protocols = ""
        for name, proxy in self._proxies.items():
            proxy.upstream = free_port()
            listeners += f",{name.upper()}://127.0.0.1:{proxy.upstream}"
            advertised += f",{name.upper()}://127.0.0.1:{proxy.port}"
            protocols += f",{name.upper()}:PLAINTEXT"
        more = {
            "listeners": listeners,
            "advertised.listeners": advertised,
            "listener.security.protocol.map": protocols,
        }
        lines = [
            line + more.get(line.partition("=")[0], "") for line in file.read_text().splitlines()
        ]
        file.write_text("\n".join(lines))
        return words


class Command(NamedTuple):
    """The result of a command that has ended."""

    status: int
    out: str
    err: str
    kilobytes: int  # the most memory that it used


class Installation:
    """The processes, their peers and the proxies; they run until `close`."""

    def __init__(self, home: Path, *, processes: Sequence[str] = PROCESSES) -> None:
        self.home = home
        self.ingest_port, self.report_port = free_port(), free_port()
        self.ftp_log = b""
        self.idle_command = 0
        self._stack = ExitStack()
        with ExitStack() as opening:
            # A client for each request would read the system's certificates each time: 20 ms.
            client = httpx.Client(verify=False, timeout=PATIENCE_SECONDS, limits=ONE_REQUEST)  # noqa: S501 - it asks this machine
            self._asking = opening.enter_context(client)
            kafka = tongues.Kafka()
            self.kafka = {name: opening.enter_context(lying_proxy(kafka)) for name in OF_KAFKA}
            self.clickhouse = opening.enter_context(lying_proxy(tongues.Http()))
            self.report = opening.enter_context(lying_proxy(tongues.Http(), self.report_port))
            self.smpp = opening.enter_context(lying_proxy(tongues.Smpp()))
            self.ftp = opening.enter_context(lying_proxy(tongues.Lines(b"550")))
            self.ways_out = WaysOut(home, opening)
            self.broker = ManyListeners(home=home, proxies=self.kafka)
            opening.callback(self.broker.kill)
            self._start_clickhouse(opening)
            self._smsc = opening.enter_context(lying_server(lying_smpp.honest(b"first")))
            self._ftpd = opening.enter_context(lying_server(lying_ftp.served(b"")))
            self.smpp.upstream, self.ftp.upstream = self._smsc.port, self._ftpd.port
            self.broker.start()
            create_topics(self.broker.bootstrap, Settings(partitions=PARTITIONS))
            self.processes: dict[str, Watched] = {
                name: opening.enter_context(watched(name, home, self._settings_of(name)))
                for name in processes
            }
            self._stack = opening.pop_all()

    def begin(self) -> None:
        """Measure the growth of memory from now on, when every process has worked and is idle."""
        self.idle_command = max(self.command(*words).kilobytes for words in (MT, SQL))
        for process in self.processes.values():
            process.begin()

    def close(self) -> None:
        """End every process, peer and proxy; the processes end side by side."""
        for process in self.processes.values():
            process.tell_to_end()
        self._stack.close()

    def _start_clickhouse(self, opening: ExitStack) -> None:
        self.clickhouse.upstream = free_port()
        words = ("-m", "tests.hostile.peers.clickhouse_server", str(self.clickhouse.upstream))
        folder = migrated(self.home / "of-another") / FOLDER_NAME
        server = start_process(
            [sys.executable, *words, str(folder)],
            environment=environment_without_settings(),
            log=self.home / "clickhouse-server.out",
        )
        opening.callback(server.wait)
        opening.callback(server.kill)
        wait_until(lambda: listens(self.clickhouse.upstream))

    def _settings_of(self, name: str) -> dict[str, str]:
        given: dict[str, object] = {
            "kafka": f"127.0.0.1:{self.kafka[name].port}",
            "partitions": PARTITIONS,
            "instance": name,
            "log_level": "info",
        }
        given |= {
            "ingest": {"http_port": self.ingest_port, "tokens": SECRET},
            "worker": {},
            "store": {
                "report_port": self.report_port,
                "tokens": SECRET,
                "clickhouse": f"http://twoway:{SECRET}@127.0.0.1:{self.clickhouse.port}",
                "clickhouse_seconds": 2,
                "block_seconds": 0.1,
            },
            "smpp": {
                "smpp_host": "127.0.0.1",
                "smpp_port": self.smpp.port,
                "smpp_system_id": "two",
                "smpp_password": SECRET,
                "smpp_tls": "off",
                "smpp_enquire_seconds": 1,
            },
            "ftp": {
                "ftp_host": "127.0.0.1",
                "ftp_port": self.ftp.port,
                "ftp_user": "customer",
                "ftp_password": SECRET,
                "ftp_path": "folder/mo.log",
                "ftp_tls": "off",
                "ftp_poll_seconds": 0.2,
            },
            "sender": {"apis": self.ways_out.apis},
        }[name]
        return {key: str(value) for key, value in given.items()}

    def new_text(self) -> str:
        """Return a text that was not used before."""
        return f"{TEXT} {next(_serial)}"

    def call(self, text: str) -> int:
        """Send the gateway's callback to ingest; return the HTTP status, 0 for no answer."""
        query = http_form.render(callback(text, handset=NUMBER)).decode()
        return self._status(f"http://127.0.0.1:{self.ingest_port}/t/{SECRET}/mo/http?{query}")

    def page(self) -> int:
        """Get the report's first page; return the HTTP status, 0 for no answer."""
        return self._status(f"http://127.0.0.1:{self.report_port}/t/{SECRET}/")

    def one(self) -> list[str]:
        """The lines of the answer to a statement that only ClickHouse is needed for."""
        return self.asked("SELECT 1 AS n", {})

    def new_request(self) -> tuple[str, str]:
        """Return a request id and a handset that were not used before."""
        number = next(_serial)
        return f"request-{number}", f"4477009{number:05}"

    def ask_mt(self, request_id: str, *, handset: str = NUMBER, api_id: str | None = None) -> int:
        """Send an application's request for an MT; return the HTTP status, 0 for no answer."""
        body = {"to": f"+{handset}", "text": TEXT, "api_id": api_id}
        try:
            url = f"http://127.0.0.1:{self.ingest_port}/t/{SECRET}/mt"
            headers = {"Idempotency-Key": request_id}
            return self._asking.post(url, json=body, headers=headers).status_code
        except httpx.HTTPError:
            return 0

    def state_of(self, request_id: str) -> tuple[str, str]:
        """The state of a request in `GET /mt/{request_id}`, and the state of its command."""
        url = f"http://127.0.0.1:{self.ingest_port}/t/{SECRET}/mt/{request_id}"
        try:
            found = self._asking.get(url).json()
        except (httpx.HTTPError, ValueError):
            return "", ""
        return str(found.get("state", "")), str(found.get("mt_state", {}).get("state", ""))

    def asked(self, sql: str, parameters: Mapping[str, str]) -> list[str]:
        """The lines of the answer to `POST /sql`; none if it fails."""
        try:
            answer = self._asking.post(
                f"http://127.0.0.1:{self.report_port}/t/{SECRET}/sql",
                json={"query": sql, "parameters": dict(parameters)},
            )
        except httpx.HTTPError:
            return []
        return answer.text.splitlines() if answer.status_code == 200 else []

    def is_stored(self, text: str) -> bool:
        """Whether a message with the text is in ClickHouse: worker and store have taken it."""
        return bool(
            self.asked("SELECT text FROM mo_message WHERE text = {text:String}", {"text": text})
        )

    def write_to_the_ftp_log(self, text: str) -> None:
        """Add a line to `mo.log`, in the gateway's form."""
        self.ftp_log += render(callback(text, handset=NUMBER)) + b"\n"
        self._ftpd.conduct = lying_ftp.served(self.ftp_log)

    def deliver_by_smpp(self, text: str) -> None:
        """Deliver a message on every bind that begins from now on, until one confirms it."""
        self._smsc.be(lying_smpp.honest(text.encode()))

    def command(self, *words: str) -> Command:
        """Run `twoway …` as an operator does, by way of the proxies."""
        settings = {
            "partitions": str(PARTITIONS),
            "tokens": SECRET,
            "kafka": f"127.0.0.1:{self.kafka['cli'].port}",
            "report_port": str(self.report.port),
        }
        out, err = self.home / "command.out", self.home / "command.err"
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "pipeline.cli.main", *words],
                env=environment_without_settings(settings) | {"TWOWAY_HOME": str(self.home)},
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
            )
            highest = 0
            while process.poll() is None:
                highest = max(highest, kilobytes_of(process.pid, "VmHWM"))
                time.sleep(LOOK_SECONDS)
        said = out.read_text(errors="replace"), err.read_text(errors="replace")
        return Command(process.returncode, *said, highest)

    def _status(self, url: str) -> int:
        try:
            return self._asking.get(url).status_code
        except httpx.HTTPError:
            return 0
