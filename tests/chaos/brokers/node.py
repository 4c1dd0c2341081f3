"""One of the three brokers: its configuration, its process, and its disk that can be lost."""

from __future__ import annotations

import shutil
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.cli.local.kafka import LocalKafka
from pipeline.cli.local.ports import LOOPBACK
from pipeline.home.process import start_process

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    Reach = Callable[[int, int], str]

CLIENTS: Final = 0  # the number of the clients in the name of a link
SESSION_SECONDS: Final = 3.0  # broker.session.timeout.ms

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
# 500: how often an idle controller writes an empty record
metadata.max.idle.interval.ms=5000
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


def by_link(one: int, other: int) -> str:
    """The address of the link by which `one` reaches `other`; a broker reaches itself without."""
    return LOOPBACK if one == other else f"127.77.{one}.{other}"


def directly(_one: int, _other: int) -> str:
    """The address of every broker, where no link is between them."""
    return LOOPBACK


@dataclass(frozen=True)
class Ports:
    """Where one broker listens; the links to it listen at the same ports of other addresses."""

    broker: int
    client: int
    controller: int


class Node(LocalKafka):
    """One of the three, with its data under `home`."""

    def __init__(
        self,
        number: int,
        *,
        home: Path,
        ports: Mapping[int, Ports],
        cluster_id: str,
        address: Reach = by_link,
    ) -> None:
        super().__init__(home=home / "brokers" / str(number), port=ports[number].client)
        self.number = number
        self.log = home / "logs" / f"kafka-{number}.log"
        self._ports = ports
        self._address = address
        self._cluster_id = cluster_id
        self._hosts = self.data.parent / "hosts"
        self.java_options = (*JAVA_OPTIONS, f"-Djdk.net.hosts.file={self._hosts}")

    def prepare(self) -> list[str]:
        """Also write the hosts file of this broker's Java."""
        self.data.mkdir(parents=True, exist_ok=True)
        addresses = {
            f"broker-{other}.test": self._address(self.number, other) for other in self._ports
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
            client_host=self._address(CLIENTS, self.number),
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
