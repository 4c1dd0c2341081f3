"""Every process under a user of its own, on a broker that refuses what no ACL allows.

The broker is a real one: TLS, SCRAM, and `StandardAuthorizer`, which denies by default. What the
processes may do is what `deploy.kafka_acls` gives them, and nothing else.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError

from pipeline.avro.single_object import SCHEMAS, decode
from pipeline.cli.local.ports import free_port
from pipeline.home.stack import bootstrap_of
from pipeline.kafka import readers, topics
from pipeline.kafka.login.options import aiokafka_options
from pipeline.kafka.principals import PERMISSIONS, principal_of
from pipeline.settings import Settings
from pipeline.wire import http_form
from tests.examples.test_autoresponders import of_node, of_python
from tests.support.here import run_here
from tests.support.looking import looks
from tests.support.migrated import migrated
from tests.support.mo import callback, timestamp
from tests.support.rented_numbers import ANN, API_ID, NUMBERS
from tests.support.running import environment_without_settings, run_cli
from tests.support.secured_kafka import PASSWORD, SecuredKafka

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

pytestmark = pytest.mark.broker

PARTITIONS = 2
PROCESSES = ("ingest", "worker", "store", "sender", "deliver")
SERVE = ("ingest", "store")
HANDSET = "447700912345"
SECONDS = 90.0
APIS = """
[[api]]
api_id = "12345"
way = "http"
url = "http://127.0.0.1:1"
tls = "off"
user = "two"
password = "hush"
default = true
"""


class Installation:
    """A broker, and the processes of Two-way, each with its user and its home."""

    def __init__(self, folder: Path, broker: SecuredKafka) -> None:
        self.folder, self.broker = folder, broker
        self.password = folder / "password"
        self.password.write_text(PASSWORD + "\n")
        self.ports: dict[str, int] = {}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        for name in PROCESSES:
            self.ports[name] = free_port(avoid=set(self.ports.values()))

    def settings(self, process: str) -> dict[str, str]:
        """The settings of a process; its password is in a file."""
        given = self.broker.settings(principal_of(process))
        del given["kafka_sasl_password"]
        return given | {
            "kafka_sasl_password_file": str(self.password),
            "home": str(self.folder / process),
            "partitions": str(PARTITIONS),
            "suppression_key": str(self.folder / "suppression-key"),
            "http_port": str(self.ports["ingest"]),
            "report_port": str(self.ports["store"]),
        }

    @contextmanager
    def running(self, process: str) -> Iterator[None]:
        """`twoway PROCESS`, until the end of the block."""
        home = self.folder / process
        home.mkdir(exist_ok=True)
        (home / "apis.toml").write_text(APIS)
        (home / "apis.toml").chmod(0o600)
        own = {} if process in SERVE else {"metrics_port": str(self.ports[process])}
        with self.log(process).open("wb") as log:
            started = self.processes[process] = subprocess.Popen(
                [sys.executable, "-m", "pipeline.cli.main", process],
                env=environment_without_settings(self.settings(process) | own),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            yield
        finally:
            started.terminate()
            try:
                started.wait(20)
            except subprocess.TimeoutExpired:
                started.kill()
                started.wait()

    def log(self, process: str) -> Path:
        return self.folder / f"{process}.log"

    def is_ready(self, process: str) -> bool:
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.ports[process]}/readyz", timeout=5)
        except httpx.HTTPError:
            return False
        return answer.status_code == 200

    def until(self, what: Callable[[], bool], words: str) -> None:
        for _ in looks(seconds=SECONDS):
            if what():
                return
            for name, process in self.processes.items():
                assert process.poll() is None, (
                    f"{name} ended:\n{self.log(name).read_text()[-4000:]}"
                )
        logs = (f"--- {name}\n{self.log(name).read_text()[-2000:]}" for name in self.processes)
        raise AssertionError(f"not seen: {words}\n" + "\n".join(logs))

    @property
    def ingest(self) -> str:
        return f"http://127.0.0.1:{self.ports['ingest']}"

    def deliver(self, handset: str, text: str) -> None:
        """Deliver a text as the gateway does."""
        now = timestamp(datetime.now(UTC))
        mo = callback(text, handset=handset, number=ANN, api_id=API_ID, timestamp=now)
        query = http_form.render(mo).decode("ascii")
        assert httpx.get(f"{self.ingest}/mo/http?{query}", timeout=30).status_code == 200

    def kafka(self, process: str) -> str:
        """The address with the login of a process."""
        given: Mapping[str, Any] = self.broker.settings(principal_of(process))
        return bootstrap_of(Settings(**given))


def run(module: str, *words: str, settings: Mapping[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, *words],
        env=environment_without_settings(settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    with tempfile.TemporaryDirectory(prefix="twoway-principals-") as name, ExitStack() as stack:
        folder = Path(name)
        broker = SecuredKafka(home=folder / "kafka", partitions=PARTITIONS)
        stack.callback(broker.kill)
        broker.start()
        broker.add_users(map(principal_of, PERMISSIONS))
        made = Installation(folder, broker)
        run("deploy.kafka_acls", "--apply", settings={"kafka": broker.bootstrap})
        run("deploy.create_topics", settings=made.settings("topics"))
        numbers = folder / "numbers.toml"
        numbers.write_text(NUMBERS)
        run_here("numbers", "load", str(numbers), home=folder, settings=made.settings("twoway"))
        migrated(folder / "store")
        for process in PROCESSES:
            stack.enter_context(made.running(process))
        for process in PROCESSES:
            made.until(lambda process=process: made.is_ready(process), f"{process} ready")
        yield made
        for started in made.processes.values():
            started.terminate()  # they end side by side


async def first_of(bootstrap: str, topic: str, *, group: str, handset: str = "") -> Any:
    """The first committed record of a topic, by a member of a group; `handset`: only of it."""
    consumer = AIOKafkaConsumer(
        topic,
        **aiokafka_options(bootstrap),
        group_id=group,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    try:
        async with asyncio.timeout(SECONDS):
            await consumer.start()
            while True:
                record: Any = decode((await consumer.getone()).value)
                if not handset or record.handset == handset:
                    return record
    finally:
        await consumer.stop()


def test_a_message_comes_in_and_a_command_goes_out(installation: Installation) -> None:
    ingest = installation.ingest
    outside = installation.kafka("reader")
    installation.deliver(HANDSET, "Hello")

    message = asyncio.run(first_of(outside, topics.MO_MESSAGE, group="autoresponder"))
    assert (message.handset, message.text) == (HANDSET, "Hello")

    asked = httpx.post(
        f"{ingest}/mt", json={"from": ANN, "to": HANDSET, "text": "Good day"}, timeout=30
    )
    assert asked.status_code == 202, asked.text
    command = asyncio.run(first_of(outside, topics.MT_COMMAND, group="autoresponder"))
    assert (command.handset, command.text) == (HANDSET, "Good day")
    request = asked.json()["request_id"]

    def is_known() -> bool:
        answer = httpx.get(f"{ingest}/mt/{request}", timeout=30)
        return answer.status_code == 200 and answer.json().get("state") == "command"

    installation.until(is_known, "the state of the request")


@pytest.mark.parametrize("language", ["python", "node"])
def test_an_example_logs_in_as_a_program_of_others(
    installation: Installation, language: str, tmp_path: Path
) -> None:
    handset = {"python": "447700912346", "node": "447700912347"}[language]
    words, own = {"python": of_python, "node": of_node}[language](tmp_path / "example")
    given = {
        "KAFKA": installation.broker.sasl,
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": "SCRAM-SHA-256",
        "KAFKA_SASL_USERNAME": principal_of("reader"),
        "KAFKA_SASL_PASSWORD_FILE": str(installation.password),
        "KAFKA_SSL_CA_LOCATION": str(installation.broker.ca),
        "INGEST": installation.ingest,
        "SCHEMAS": str(SCHEMAS),
    }
    log = tmp_path / "log"
    with log.open("wb") as output:
        example = subprocess.Popen(
            words, env=environment_without_settings() | own | given, stdout=output, stderr=output
        )
    try:
        installation.deliver(handset, "Hours")
        outside = installation.kafka("reader")
        found = asyncio.run(first_of(outside, topics.MT_COMMAND, group=language, handset=handset))
        assert found.text.startswith("We are open")
    except TimeoutError:
        pytest.fail(f"no answer; the example is at {example.poll()}:\n{log.read_text()}")
    finally:
        leave_group(example)


def leave_group(example: subprocess.Popen[bytes]) -> None:
    """End an example as Ctrl-C does: a killed one stays in the group for its session timeout."""
    if example.poll() is None:
        example.send_signal(signal.SIGINT)
    try:
        example.wait(SECONDS)
    finally:
        example.kill()
        example.wait()


def test_the_command_line_has_a_user_of_its_own(installation: Installation) -> None:
    settings = installation.settings("twoway")
    status = run_cli("status", home=installation.folder, settings=settings, check=False)
    assert "ACLs refuse" not in status.stdout + status.stderr
    read = ("consume", topics.NUMBERS, "--from-beginning", "--max", "1")
    assert ANN in run_here(*read, home=installation.folder, settings=settings).stdout


def test_no_process_was_refused_anything(installation: Installation) -> None:
    for process in PROCESSES:
        assert "uthorization" not in installation.log(process).read_text(), process


def test_a_program_of_others_stays_out_of_our_groups_and_changelogs(
    installation: Installation,
) -> None:
    outside = installation.kafka("reader")
    with pytest.raises(GroupAuthorizationFailedError):
        asyncio.run(first_of(outside, topics.MO_MESSAGE, group=readers.STORE))
    with pytest.raises(TopicAuthorizationFailedError):
        asyncio.run(first_of(outside, topics.CONVERSATION_CHANGELOG, group="autoresponder"))


def test_a_process_reads_nothing_of_another(installation: Installation) -> None:
    sender = installation.kafka("sender")
    with pytest.raises(TopicAuthorizationFailedError):
        asyncio.run(first_of(sender, topics.MO_MESSAGE, group=readers.SENDER))


def test_the_password_is_in_no_environment_argument_or_log(installation: Installation) -> None:
    octets = PASSWORD.encode()
    for name, process in installation.processes.items():
        for file in ("environ", "cmdline"):
            assert octets not in Path(f"/proc/{process.pid}/{file}").read_bytes(), name
        assert octets not in installation.log(name).read_bytes(), name
