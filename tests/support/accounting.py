"""The worker's agent and the agent `accounts` over a few partitions, joined without Kafka.

Records lie in topics until an agent takes them. A unit of work may be lost before its commit, as by
a kill: then its records are taken again.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from pipeline.accounts.agent import AccountsAgent
from pipeline.accounts.balances import Balances
from pipeline.accounts.tables import ACCOUNT_TABLES
from pipeline.avro import single_object
from pipeline.conversation.agent import Conversation
from pipeline.conversation.tables import TABLES
from pipeline.directory.directory import numbers_from_toml
from pipeline.kafka import readers, topics
from pipeline.records import AccountCharge, AccountCredit, MoRaw
from pipeline.settings import Settings
from pipeline.wire import http_form
from pipeline.wire.callback import MoCallback
from tests.support.partitioned import Agent

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.records import Record

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NUMBER = "447700900100"
SHOP = "447700900200"
ACCOUNT_OF = {NUMBER: "main", SHOP: "shop"}


def toml_of(main: str = "hold", shop: str = "hold", *, more: str = "") -> str:
    """Two numbers, each of an account of its own, in these modes."""
    numbers = "".join(
        f'[[number]]\nnumber = "{number}"\nkind = "vmn"\napi_id = "1"\naccount = "{account}"\n'
        for number, account in ACCOUNT_OF.items()
    )
    accounts = "".join(
        f'[[account]]\nname = "{name}"\nmode = "{mode}"\nmt_price = "4/5"\n{more}'
        for name, mode in (("main", main), ("shop", shop))
    )
    return numbers + accounts


class Accounting:
    """Workers and `accounts` over all partitions, and every record that was ever written."""

    def __init__(self, toml: str = "", *, partitions: int = 2, home: Path | None = None) -> None:
        self.partitions = partitions
        given = {} if home is None else {"home": home}
        settings = Settings(partitions=partitions, **given)  # type: ignore[arg-type]
        self.boxes = [
            Agent(
                readers.CONVERSATION,
                p,
                lambda p=p: Conversation(partition=p, settings=settings),  # type: ignore[misc]
                TABLES,
            )
            for p in range(partitions)
        ]
        self.ledgers = [self.new_ledger(p) for p in range(partitions)]
        self.written: dict[str, list[tuple[int, Any]]] = defaultdict(list)
        self.octets: dict[str, list[tuple[int, bytes, bytes]]] = defaultdict(list)
        self.now = NOON
        self._offsets: dict[tuple[str, int], int] = defaultdict(int)
        self.load(toml or toml_of())

    def new_ledger(self, partition: int) -> Agent:
        settings = Settings(partitions=self.partitions)
        return Agent(
            readers.ACCOUNTS,
            partition,
            lambda: AccountsAgent(partition=partition, settings=settings, balances=Balances()),
            ACCOUNT_TABLES,
        )

    def append(self, topic: str, partition: int, key: bytes, value: bytes) -> None:
        """A record of a topic, for every agent that reads it."""
        offset = self._offsets[topic, partition]
        self._offsets[topic, partition] += 1
        self.now += timedelta(milliseconds=1)
        record = SimpleNamespace(
            topic=topic,
            partition=partition,
            offset=offset,
            timestamp=int(self.now.timestamp() * 1000),
            key=key,
            value=value,
            headers=(),
        )
        for agent in (self.boxes[partition], self.ledgers[partition]):
            if topic in readers.READ_BY[agent.group]:
                agent.log.append(record)
        self.octets[topic].append((partition, key, value))
        try:
            self.written[topic].append((partition, single_object.decode(value)))
        except single_object.Unreadable:
            self.written[topic].append((partition, None))

    def publish(self, topic: str, key: str, record: Record) -> None:
        octets = key.encode()
        home = topics.partition_of(octets, self.partitions)
        self.append(topic, home, octets, single_object.encode(record))

    def load(self, toml: str) -> None:
        """A directory, for every partition."""
        numbers = numbers_from_toml(toml, origin="test", loaded_at=NOON)
        for partition in range(self.partitions):
            self.append(topics.NUMBERS, partition, b"", single_object.encode(numbers))

    def receive(
        self, text: str, *, handset: str, number: str = NUMBER, mo_msg_id: str = "", udh: str = ""
    ) -> None:
        """A callback of one part."""
        callback = MoCallback(
            handset=handset,
            number=number,
            octets=text.encode(),
            mo_msg_id=mo_msg_id or f"id-{len(self.written[topics.MO_RAW])}",
            api_id="1",
            udh=udh,
        )
        raw = MoRaw(
            source="http",
            received_at=self.now,
            method="GET",
            content_type="",
            query=http_form.render(callback),
            octets=b"",
        )
        self.publish(topics.MO_RAW, handset, raw)

    def credit(self, account: str, units: int, *, credit_id: str = "", **fields: Any) -> None:
        """A credit, as `twoway credit` orders it."""
        given: dict[str, Any] = {
            "credit_id": credit_id or f"credit-{len(self.written[topics.ACCOUNT_CREDIT])}",
            "account": account,
            "kind": "credit",
            "units": units,
            "reference": "",
            "actor": "ops",
            "reason": "paid",
            "requested_at": self.now,
        }
        self.publish(topics.ACCOUNT_CREDIT, account, AccountCredit(**given | fields))

    def charge(self, **fields: Any) -> None:
        """A charge of an MT, as the worker or a stranger may write it."""
        given: dict[str, Any] = {
            "charge_id": f"charge-{len(self.written[topics.ACCOUNT_CHARGE])}",
            "account": "main",
            "kind": "mt",
            "number": NUMBER,
            "parts": 1,
            "units": 2_400_000,
            "is_stated": False,
            "is_held": False,
            "home": 0,
            "part_ids": [],
            "flags": [],
            "at": self.now,
        }
        charge = AccountCharge(**given | fields)
        self.publish(topics.ACCOUNT_CHARGE, charge.account, charge)

    def work(self, agent: Agent, at_most: int = 100, *, commits: bool = True) -> None:
        """One unit of work of an agent."""
        for topic, partition, key, value in agent.work(at_most, commits=commits):
            self.append(topic, partition, key, value)

    def settle(self) -> None:
        """Let every agent take all there is."""
        agents = [*self.boxes, *self.ledgers]
        while any(agent.taken < len(agent.log) for agent in agents):
            for agent in agents:
                self.work(agent)

    def records(self, topic: str) -> list[Any]:
        """What was written to a topic, in the order of writing."""
        return [record for _, record in self.written[topic]]

    def entries(self, account: str) -> list[Any]:
        """The ledger of an account."""
        return [each for each in self.records(topics.ACCOUNT_ENTRY) if each.account == account]

    def published(self, handset: str = "") -> list[str]:
        """The texts of the messages that were published, of one handset or of all."""
        return [
            each.text
            for each in self.records(topics.MO_MESSAGE)
            if not handset or each.handset == handset
        ]
