"""Three brokers, each a controller too, with a link between each two that can be cut.

Kafka tells every broker and every client the same address of a broker. So each Java finds the name
`broker-2.test` in a hosts file of its own, and there it is the address of a link: the addresses
127.77.FROM.TO lead from one broker to another, and 127.77.0.TO leads from the clients. Linux gives
the whole of 127.0.0.0/8 to its loopback. For a bench there are no links: all is 127.0.0.1.
"""

from __future__ import annotations

import socket
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final, TypeVar

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from pipeline.cli.local.formatting import new_id
from pipeline.cli.local.kafka import LocalKafkaError
from pipeline.cli.local.ports import LOOPBACK, free_port
from tests.chaos.brokers.links import Link, Links
from tests.chaos.brokers.node import CLIENTS, Node, Ports, by_link

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.chaos.brokers.node import Reach

T = TypeVar("T")

NUMBERS: Final = (1, 2, 3)
START_SECONDS: Final = 120.0
ANSWER_MS: Final = 2_000
LOOK_SECONDS: Final = 0.25


def ends_of(link: Link) -> tuple[int, int]:
    """Who reaches whom by the link."""
    one, other = link.name.split()[0].split(">")
    return int(one), int(other)


def _link(one: int, other: int, listener: str, port: int) -> Link:
    return Link(f"{one}>{other} {listener}", (by_link(one, other), port), (LOOPBACK, port))


class Cluster:
    """The three brokers and the links. A broker is known by its number, 1 to 3."""

    def __init__(self, home: Path, *, address: Reach = by_link) -> None:
        taken: set[int] = set()
        ports = {}
        for number in NUMBERS:
            chosen = [free_port(avoid=taken) for _ in range(3)]
            taken.update(chosen)
            ports[number] = Ports(*chosen)
        cluster_id = new_id()
        self.nodes: Final = {
            number: Node(number, home=home, ports=ports, cluster_id=cluster_id, address=address)
            for number in NUMBERS
        }
        self._ports = ports
        self._address = address
        self._links = Links(self._all_links() if address is by_link else ())

    @property
    def bootstrap(self) -> str:
        """The addresses for clients."""
        return ",".join(
            f"{self._address(CLIENTS, number)}:{held.client}"
            for number, held in self._ports.items()
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
