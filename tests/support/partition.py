"""One partition's agent and state, without Kafka: records go in, rows and outputs come out."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

from pipeline.avro import single_object
from pipeline.conversation.agent import Conversation
from pipeline.conversation.tables import TABLES
from pipeline.directory.directory import numbers_from_toml
from pipeline.engine.state.state import Point, State
from pipeline.engine.unit_of_work import UnitOfWork
from pipeline.kafka import topics
from pipeline.records import Clock, MoRaw, MtRequest
from pipeline.settings import Settings
from pipeline.wire import http_form
from pipeline.wire.callback import MoCallback

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NUMBER = "447700900100"
HANDSET = "447900000001"
PARTITIONS = 4
NUMBERS = numbers_from_toml(
    f'[[number]]\nnumber = "{NUMBER}"\nkind = "vmn"\napi_id = "1"\n', origin="test", loaded_at=NOON
)


class Partition:
    """The agent of the partition that `handset` is in. `now` is the broker's time of a record."""

    def __init__(self, handset: str = HANDSET) -> None:
        self.number = topics.partition_of(handset.encode(), PARTITIONS)
        self.agent = Conversation(partition=self.number, settings=Settings(partitions=PARTITIONS))
        self.state = State(TABLES)
        self.outputs: list[tuple[str, int, bytes | None, bytes]] = []
        self.units: list[int] = []  # changed rows of each
        self._offsets: dict[str, int] = {}
        self.now = NOON

    def take(
        self,
        topic: str,
        value: bytes,
        key: bytes = b"",
        headers: tuple[tuple[str, bytes | None], ...] = (),
    ) -> None:
        """Process one record, in one unit of work, or in as many as it needs."""
        offset = self._offsets[topic] = self._offsets.get(topic, -1) + 1
        record = SimpleNamespace(
            topic=topic,
            partition=self.number,
            offset=offset,
            timestamp=int(self.now.timestamp() * 1000) + offset % 1000,
            key=key,
            value=value,
            headers=headers,
        )
        while self._take_in_a_unit(record):
            pass

    def _take_in_a_unit(self, record: SimpleNamespace) -> bool:
        work = UnitOfWork(state=self.state, partition=self.number, changelog="changelog")
        unfinished = self.agent.process_record(work, record)
        for (name, partition), rows in work._outputs.rows.items():
            self.outputs += [(name, partition, key, value) for key, value in rows]
        self.units.append(sum(len(table.changes) for table in self.state.tables.values()))
        self.state.apply(Point(self.state.point.sequence + 1, work.time, {}))
        return unfinished

    def raw(
        self, text: str, *, at: datetime = NOON, mo_msg_id: str = "m1", number: str = NUMBER
    ) -> None:
        callback = MoCallback(
            handset=HANDSET, number=number, octets=text.encode(), mo_msg_id=mo_msg_id, api_id="1"
        )
        query = http_form.render(callback)
        raw = MoRaw(
            source="http", received_at=at, method="GET", content_type="", query=query, octets=b""
        )
        self.take(topics.MO_RAW, single_object.encode(raw), HANDSET.encode())

    def request(self, request_id: str, text: str = "hi", *, to: str = HANDSET) -> None:
        request = MtRequest(
            request_id=request_id, to=to, text=text, sender_id=NUMBER, requested_at=NOON
        )
        self.take(topics.MT_REQUEST, single_object.encode(request), to.encode())

    def confirm(self, request_id: str, text: str) -> None:
        """Send the application's own confirmation of a stop."""
        request = MtRequest(
            request_id=request_id,
            to=HANDSET,
            text=text,
            sender_id=NUMBER,
            confirms_opt_out=True,
            requested_at=self.now,
        )
        self.take(topics.MT_REQUEST, single_object.encode(request), HANDSET.encode())

    def tick(self, at: datetime) -> None:
        self.take(topics.CLOCK, single_object.encode(Clock(time=at, origin="worker")))

    def written(self, topic: str) -> list:
        return [single_object.decode(value) for name, _, _, value in self.outputs if name == topic]
