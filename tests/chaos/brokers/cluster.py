"""Three brokers, each a controller too, with a link between each two that can be cut.

Kafka tells every broker and every client the same address of a broker. So each Java finds the name
`broker-2.test` in a hosts file of its own, and there it is the address of a link: the addresses
127.77.FROM.TO lead from one broker to another, and 127.77.0.TO leads from the clients. Linux gives
the whole of 127.0.0.0/8 to its loopback.
"""

from __future__ import annotations

import shutil
import socket
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from pipeline.cli.local.kafka import LocalKafka, LocalKafkaError, new_cluster_id
from pipeline.cli.local.ports import LOOPBACK, free_port
from pipeline.home.process import start_process
from tests.chaos.brokers.links import Link, Links

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

T = TypeVar("T")

NUMBERS: Final = (1, 2, 3)
CLIENTS: Final = 0  # the number of the clients in the name of a link
SESSION_SECONDS: Final = 3.0  # broker.session.timeout.ms
START_SECONDS: Final = 120.0
ANSWER_MS: Final = 2_000
LOOK_SECONDS: Final = 0.25

# On servers the times below are those of the comments. They are short here, so that a run is short.
_PROPERTIES: Final = """\
process.roles=broker,controller
node.id={number}
controller.quorum.voters={voters}
listeners=BROKER://{host}:{broker},CLIENT://{host}:{client},CONTROLLER://{host}:{controller}
advertised.listeners=BROKER://{name}:{broker},CLIENT://{client_host}:{client},\
CONTROLLER://{name}:{controller}
listener.security.protocol.map=BROKER:PLAINTEXT,CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=BROKER
log.dirs={data}
auto.create.topics.enable=false
default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=3
transaction.state.log.num.partitions=8
transaction.state.log.min.isr=2
add.partitions.to.txn.retry.backoff.ms=5
share.coordinator.state.topic.replication.factor=3
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.min.isr=2
group.initial.rebalance.delay.ms=0
group.coordinator.rebalance.protocols=classic,consumer
# 9000
broker.session.timeout.ms=3000
# 2000
broker.heartbeat.interval.ms=500
# 30000
replica.lag.time.max.ms=3000
# 30000
replica.socket.timeout.ms=3000
# 300
leader.imbalance.check.interval.seconds=10
log.segment.bytes=33554432
log.cleaner.dedupe.buffer.size=16777216
num.network.threads=2
num.io.threads=4
"""
JAVA_OPTIONS: Final = ("-Xms128m", "-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


def ends_of(link: Link) -> tuple[int, int]:
    """Who reaches whom by the link."""
    one, other = link.name.split()[0].split(">")
    return int(one), int(other)


def _link(one: int, other: int, listener: str, port: int) -> Link:
    return Link(f"{one}>{other} {listener}", (f"127.77.{one}.{other}", port), (LOOPBACK, port))


@dataclass(frozen=True)
class Ports:
    """Where one broker listens; the links to it listen at the same ports of other addresses."""

    broker: int
    client: int
    controller: int


class Node(LocalKafka):
    """One of the three, with its data under `home`."""

    def __init__(
        self, number: int, *, home: Path, ports: Mapping[int, Ports], cluster_id: str
    ) -> None:
        super().__init__(home=home / "brokers" / str(number), port=ports[number].client)
        self.number = number
        self.log = home / "logs" / f"kafka-{number}.log"
        self._ports = ports
        self._cluster_id = cluster_id
        self._hosts = self.data.parent / "hosts"
        self.java_options = (*JAVA_OPTIONS, f"-Djdk.net.hosts.file={self._hosts}")

    def prepare(self) -> list[str]:
        """Also write the hosts file of this broker's Java."""
        self.data.mkdir(parents=True, exist_ok=True)
        addresses = {
            f"broker-{other}.test": LOOPBACK
            if other == self.number
            else f"127.77.{self.number}.{other}"
            for other in self._ports
        }
        addresses |= {"localhost": LOOPBACK, socket.gethostname(): LOOPBACK}
        self._hosts.write_text("".join(f"{at} {name}\n" for name, at in addresses.items()))
        return super().prepare()

    def _properties(self) -> str:
        ports = self._ports[self.number]
        return _PROPERTIES.format(
            number=self.number,
            host=LOOPBACK,
            name=f"broker-{self.number}.test",
            client_host=f"127.77.{CLIENTS}.{self.number}",
            broker=ports.broker,
            client=ports.client,
            controller=ports.controller,
            voters=",".join(
                f"{it}@broker-{it}.test:{held.controller}" for it, held in self._ports.items()
            ),
            data=self.data,
        )

    def launch(self) -> None:
        """Start the process; the broker takes part some seconds later, and not without another."""
        self.process = start_process(self.prepare(), environment=self.environment, log=self.log)

    @property
    def has_ended(self) -> bool:
        """Whether it was started and its process is gone."""
        return self.process is not None and self.process.poll() is not None

    def lose_disk(self) -> None:
        """Remove everything that the broker has written; it must have ended."""
        for each in self.data.iterdir():
            if each.is_dir():
                shutil.rmtree(each)
            else:
                each.unlink()


class Cluster:
    """The three brokers and the links. A broker is known by its number, 1 to 3."""

    def __init__(self, home: Path) -> None:
        taken: set[int] = set()
        ports = {}
        for number in NUMBERS:
            chosen = [free_port(avoid=taken) for _ in range(3)]
            taken.update(chosen)
            ports[number] = Ports(*chosen)
        cluster_id = new_cluster_id()
        self.nodes: Final = {
            number: Node(number, home=home, ports=ports, cluster_id=cluster_id)
            for number in NUMBERS
        }
        self._ports = ports
        self._links = Links(self._all_links())

    @property
    def bootstrap(self) -> str:
        """The addresses for clients."""
        return ",".join(
            f"127.77.{CLIENTS}.{number}:{held.client}" for number, held in self._ports.items()
        )

    def _all_links(self) -> Iterator[Link]:
        for other, held in self._ports.items():
            yield _link(CLIENTS, other, "client", held.client)
            for one in self._ports.keys() - {other}:
                yield _link(one, other, "broker", held.broker)
                yield _link(one, other, "controller", held.controller)

    def start(self) -> None:
        """Start all three; returns when each takes part."""
        self._links.start()
        for node in self.nodes.values():
            node.launch()
        deadline = time.monotonic() + START_SECONDS
        while self.registered() != set(NUMBERS):
            if ended := [str(node.log) for node in self.nodes.values() if node.has_ended]:
                raise LocalKafkaError(f"a broker has ended: see {', '.join(ended)}")
            if time.monotonic() > deadline:
                raise LocalKafkaError(f"not three brokers in {START_SECONDS:.0f} s")
            time.sleep(LOOK_SECONDS)

    def stop(self) -> None:
        """End all three and the links."""
        for node in self.nodes.values():
            node.kill()
        self._links.stop()

    def cut(self, *pairs: tuple[int, int]) -> None:
        """Cut every link between these pairs, in both directions, and mend all others."""
        cut = {frozenset(pair) for pair in pairs}
        self._links.cut(link.name for link in self._links.all if frozenset(ends_of(link)) in cut)

    def registered(self) -> set[int]:
        """The brokers that take part; empty while nobody can say."""
        return self._ask(_registered, otherwise=set())

    def controller(self) -> int:
        """The broker that is the active controller; 0 while nobody can say."""
        return self._ask(_controller, otherwise=0)

    def is_in_sync(self) -> bool:
        """Whether all three take part and have all that is acknowledged, in every partition."""
        return self._ask(_is_in_sync, otherwise=False)

    def _ask(self, what: Callable[[Any], T], *, otherwise: T) -> T:
        """What a broker that runs answers; `otherwise` if none can answer now."""
        here = [node.bootstrap for node in self.nodes.values() if _listens(node.port)]
        if not here:
            return otherwise
        try:
            with closing(
                KafkaAdminClient(
                    bootstrap_servers=here,
                    client_id="twoway-ready",
                    request_timeout_ms=ANSWER_MS,
                    bootstrap_timeout_ms=ANSWER_MS,
                )
            ) as admin:
                return what(admin)
        except (KafkaError, OSError):
            return otherwise


def _listens(port: int) -> bool:
    """Find a refused connection here: kafka-python would leave its socket open."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


def _registered(admin: Any) -> set[int]:
    nodes = admin.describe_cluster()["brokers"]
    return {node["broker_id"] for node in nodes if not node.get("is_fenced", False)}


def _controller(admin: Any) -> int:
    found = admin.describe_metadata_quorum()["topics"][0]["partitions"][0]
    return max(0, int(found["leader_id"]))


def _is_in_sync(admin: Any) -> bool:
    everyone = set(NUMBERS)
    return _registered(admin) == everyone and all(
        set(partition["isr_nodes"]) == everyone
        for topic in admin.describe_topics()
        for partition in topic["partitions"]
    )
