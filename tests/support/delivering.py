"""One partition's agent `delivery` without Kafka: records go in, orders and outputs come out.

It can be killed: what is not in its committed rows and in `outputs` is gone then.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from pipeline.avro import single_object
from pipeline.delivery.agent.agent import DeliveryAgent
from pipeline.delivery.agent.standings import Standings
from pipeline.delivery.agent.tables import DELIVERY_TABLES
from pipeline.directory.directory import numbers_from_toml
from pipeline.engine.state.state import Point, State
from pipeline.engine.unit_of_work import UnitOfWork
from pipeline.kafka import topics
from pipeline.records import Clock, MoDeliveryResult, MoMessage
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.delivery.orders import DeliveryOrder
    from pipeline.records import Record

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HANDSET = "447900000001"
NUMBER = "447700900100"


def toml_of(paths: str, *, reply_path: str = "crm") -> str:
    """A directory of one number, and these paths."""
    number = f'[[number]]\nnumber = "{NUMBER}"\nkind = "vmn"\napi_id = "1"\n'
    return f'{number}reply_path = "{reply_path}"\n{paths}'


CRM = '[reply_path.crm]\nway = "http-post"\nurl = "http://127.0.0.1:1/"\n'


def message(message_id: str = "m1", handset: str = HANDSET, **fields: Any) -> MoMessage:
    """A message to our number."""
    given: dict[str, Any] = {
        "message_id": message_id,
        "handset": handset,
        "number": NUMBER,
        "text": "hello",
        "octets": b"hello",
        "charset": "ISO-8859-1",
        "api_id": "1",
        "account": "main",
        "mo_msg_ids": ["a"],
        "part_ids": ["p"],
        "gateway_time": NOON,
        "received_at": NOON,
        "parts_total": 1,
        "parts_missing": [],
        "complete": True,
        "lossy": False,
        "flags": [],
        "source": "http",
        "network_id": "",
    }
    return MoMessage(**given | fields)


class DeliveryPartition:
    """The agent of partition 0 of 1."""

    def __init__(self, toml: str = "", *, state: State | None = None) -> None:
        self.state = state or State(DELIVERY_TABLES)
        self.outputs: list[tuple[str, Record]] = []
        self.handed_over: list[DeliveryOrder] = []
        self.now = NOON
        self._offsets: dict[str, int] = {}
        self.standings = Standings()
        self.agent = self._new_agent()
        self.load(toml or toml_of(CRM))
        self.tick(timedelta())

    def _new_agent(self) -> DeliveryAgent:
        agent = DeliveryAgent(
            partition=0,
            settings=Settings(partitions=1),
            hand_over=lambda order: self.handed_over.append(order),
            standings=self.standings,
            wall_clock=lambda: self.now,
        )
        agent.restored(self.state)
        return agent

    def restart(self) -> None:
        """As after a kill: orders that were handed over are gone."""
        self.handed_over.clear()
        self.agent = self._new_agent()

    def load(self, toml: str) -> None:
        numbers = numbers_from_toml(toml, origin="test", loaded_at=NOON)
        self.take(topics.NUMBERS, numbers)

    def take(self, topic: str, record: Record, *, commits: bool = True, key: str = "") -> None:
        """One record in a unit of its own, or in as many as it asks for."""
        offset = self._offsets[topic] = self._offsets.get(topic, -1) + 1
        consumed = SimpleNamespace(
            topic=topic,
            partition=0,
            offset=offset,
            timestamp=int(self.now.timestamp() * 1000),
            key=(key or getattr(record, "handset", "")).encode(),
            value=single_object.encode(record),
            headers=(),
        )
        while self._take_in_a_unit(consumed, commits=commits):
            pass

    def _take_in_a_unit(self, record: SimpleNamespace, *, commits: bool) -> bool:
        work = UnitOfWork(state=self.state, partition=0, changelog="changelog")
        unfinished = self.agent.process_record(work, record)  # type: ignore[arg-type]
        if not commits:
            self.state.discard()
            return False
        for (name, _), rows in work._outputs.rows.items():
            self.outputs += [(name, single_object.decode(value or b"")) for _, value in rows]
        scrub = self.state.numbers_of(work._scrubbed)
        self.state.apply(Point(self.state.point.sequence + 1, work.time, {}), scrub=scrub)
        if scrub:
            self.state.rows.scrub()
        work.run_afterwards()
        return unfinished

    def receive(self, message_id: str = "m1", handset: str = HANDSET, **fields: Any) -> None:
        self.take(topics.MO_MESSAGE, message(message_id, handset, **fields))

    def tick(self, later: timedelta = timedelta(seconds=1)) -> None:
        self.now += later
        self.take(topics.CLOCK, Clock(time=self.now, origin="worker"))

    def next_order(self) -> DeliveryOrder:
        return self.handed_over.pop(0)

    def result(self, order: DeliveryOrder, *, delivered: bool = False, **fields: Any) -> None:
        """What the executor writes of an attempt."""
        self.take(topics.MO_DELIVERY_RESULT, result_of(order, delivered=delivered, **fields))

    def written(self, topic: str) -> list[Any]:
        return [record for name, record in self.outputs if name == topic]

    def rows(self, table: str) -> int:
        return self.state.sizes()[table]


def result_of(order: DeliveryOrder, *, delivered: bool = False, **fields: Any) -> MoDeliveryResult:
    """The record of an attempt."""
    given: dict[str, Any] = {
        "delivery_id": order.delivery_id,
        "path": order.path.name,
        "kind": order.kind,
        "subject_id": order.subject_id,
        "handset": order.handset,
        "attempt": order.attempt,
        "outcome": "delivered" if delivered else "failed",
        "status": "200" if delivered else "500",
        "words": "" if delivered else "Internal Server Error",
        "duration_ms": 5,
        "retry_after_seconds": 0,
        "is_throttled": False,
        "at": NOON,
    }
    return MoDeliveryResult(**given | fields)
