"""No record of a topic that others may write keeps a partition from the next record.

The task of a partition with the agent itself, and a producer that refuses what a broker refuses.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import msgspec
import pytest
from aiokafka.errors import MessageSizeTooLargeError

from pipeline.avro import single_object
from pipeline.conversation.agent import Conversation
from pipeline.conversation.tables import ASSEMBLIES, SEEN, TABLES
from pipeline.directory.directory import numbers_from_toml
from pipeline.engine.plan import AgentPlan
from pipeline.engine.state.state import State
from pipeline.engine.task import PartitionTask
from pipeline.kafka import readers, topics
from pipeline.records import (
    AccountRelease,
    Clock,
    ConsentRequest,
    ForgetRequest,
    MoRaw,
    MtAsk,
    MtRequest,
    MtResult,
)
from pipeline.settings import Settings
from pipeline.wire import http_form
from pipeline.wire.callback import MoCallback
from tests.engine.faulty_producer import FaultyProducer
from tests.hostile.scale import SCALE, dice_for

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOON_MS = int(NOON.timestamp() * 1000)
NUMBER, HANDSET = "447700900100", "447900000001"
NUMBERS = numbers_from_toml(
    f'[[number]]\nnumber = "{NUMBER}"\nkind = "vmn"\napi_id = "1"\n', origin="test", loaded_at=NOON
)
#: `max.message.bytes` of every topic; 512 octets for what Kafka writes around a record.
TOPIC_TAKES = topics.topics()[topics.DEAD_LETTER].max_message_octets - 512
FUZZED = 150 * SCALE
LARGE_PARTS = 20


class StrictProducer(FaultyProducer):
    """Refuses, as a broker does, a transaction with a record larger than the topic allows."""

    def __init__(self, *, takes: int = TOPIC_TAKES, before: FaultyProducer | None = None) -> None:
        super().__init__(before=before)
        self._takes = takes

    async def send_batch(self, batch, topic, *, partition):
        for key, value in batch.records:
            takes = TOPIC_TAKES if topic == topics.DEAD_LETTER else self._takes
            if len(key or b"") + len(value or b"") > takes:
                raise MessageSizeTooLargeError(topic)
        return await super().send_batch(batch, topic, partition=partition)


class Running:
    """A partition's task, to be given records."""

    def __init__(self, *, kafka: str = "kafka:9092", takes: int = TOPIC_TAKES) -> None:
        settings = Settings(partitions=1, kafka=kafka)
        self.agent = Conversation(partition=0, settings=settings)
        plan = AgentPlan(
            name="conversation",
            group="g",
            bootstrap="",
            topics=readers.READ_BY[readers.CONVERSATION],
            may_skip=frozenset(),
            tables=TABLES,
            changelog="changelog",
            processor=lambda _partition: self.agent,
        )
        self.task = PartitionTask(
            plan=plan, partition=0, states=None, ends=None, failed=None, turns=None
        )
        self.producer = StrictProducer(takes=takes)
        self.task.state, self.task._producer = State(TABLES), self.producer
        self.task._restore = self._restore
        self.restores = 0
        self._offsets = dict.fromkeys(readers.READ_BY[readers.CONVERSATION], 0)
        self._at_ms = NOON_MS

    async def _restore(self) -> None:
        self.restores += 1
        state = State(TABLES)
        state.restore(self.producer.visible.get("changelog", []))
        self.task.state = state
        self.producer = StrictProducer(takes=self.producer._takes, before=self.producer)
        self.task._producer = self.producer
        self.agent.restored(state)

    def record(self, topic, value, *, key=b"", headers=(), at_ms=None):
        offset = self._offsets[topic]
        self._offsets[topic] += 1
        return SimpleNamespace(
            topic=topic,
            partition=0,
            offset=offset,
            timestamp=self._at_ms if at_ms is None else at_ms,
            key=key,
            value=value,
            headers=headers,
        )

    async def take(self, records) -> None:
        self.task.intake.begin_at(self._offsets)
        self.task._at_most = len(records)
        left = records
        for _ in range(20 * len(records) + 50):
            if not left:
                return
            left = await self.task._work(left)
        raise AssertionError(f"{len(left)} records are left for ever")

    def good(self, text: str, **fields):
        return self.record(
            topics.MO_RAW, single_object.encode(raw(text, **fields)), key=HANDSET.encode()
        )

    def written(self, topic: str) -> list:
        return [single_object.decode(value) for _, value in self.producer.visible.get(topic, [])]

    def texts(self) -> list[str]:
        return [message.text for message in self.written(topics.MO_MESSAGE)]


def raw(text: str, *, at: datetime = NOON, mo_msg_id: str = "", **fields) -> MoRaw:
    callback = MoCallback(
        handset=HANDSET,
        number=NUMBER,
        octets=text.encode(),
        mo_msg_id=mo_msg_id or f"id of {text}"[:64],
        api_id="1",
        **fields,
    )
    return MoRaw(
        source="http",
        received_at=at,
        method="GET",
        content_type="",
        query=http_form.render(callback),
        octets=b"",
    )


RECORDS = {
    topics.MO_RAW: raw("hello"),
    topics.MT_REQUEST: MtRequest(
        request_id="r", to=HANDSET, text="hi", sender_id=NUMBER, requested_at=NOON
    ),
    topics.MT_RESULT: MtResult(
        result_id="x",
        command_id="c",
        request_id="r",
        handset=HANDSET,
        outcome="failed",
        final=True,
        gateway_message_id="",
        code="",
        words="",
        attempt=1,
        at=NOON,
    ),
    topics.MT_ASK: MtAsk(
        ask_id="a",
        kind="ask",
        command_id="c",
        handset=HANDSET,
        sender_id=NUMBER,
        attempt=1,
        holder="h",
        at=NOON,
    ),
    topics.CONSENT_REQUEST: ConsentRequest(
        request_id="o",
        handset=HANDSET,
        number=NUMBER,
        action="stop",
        actor="me",
        reason="why",
        requested_at=NOON,
    ),
    topics.FORGET_REQUEST: ForgetRequest(
        request_id="f", handset=HANDSET, actor="me", reason="why", requested_at=NOON
    ),
    topics.NUMBERS: NUMBERS,
    topics.CLOCK: Clock(time=NOON, origin="worker"),
    topics.ACCOUNT_RELEASE: AccountRelease(charge_id="m", account="main", entry_id="e", at=NOON),
}
TIME_FIELDS = {
    topics.MO_RAW: "received_at",
    topics.MT_REQUEST: "requested_at",
    topics.MT_RESULT: "at",
    topics.MT_ASK: "at",
    topics.CONSENT_REQUEST: "requested_at",
    topics.FORGET_REQUEST: "requested_at",
    topics.NUMBERS: "loaded_at",
    topics.CLOCK: "time",
    topics.ACCOUNT_RELEASE: "at",
}
FIRST, LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def stating(topic: str, time: datetime) -> bytes:
    return single_object.encode(
        msgspec.structs.replace(RECORDS[topic], **{TIME_FIELDS[topic]: time})
    )


def poisons(topic: str) -> dict[str, dict]:
    """Records of a topic that nobody should write, by their fault."""
    whole = single_object.encode(RECORDS[topic])
    strangers = {
        f"a {type(record).__name__}": {"value": single_object.encode(record)}
        for name, record in RECORDS.items()
        if name != topic
    }
    return {
        "null": {"value": None, "key": None},
        "empty": {"value": b""},
        "json": {"value": b'{"stop": "447900000001"}'},
        "junk as large as a topic takes": {"value": b"x" * 1_048_500},
        **strangers,
        "no such schema": {"value": b"\xc3\x01" + b"\xee" * 8 + whole[10:]},
        "cut": {"value": whole[: len(whole) // 2]},
        "with something after it": {"value": whole + b"!"},
        "year 1": {"value": stating(topic, FIRST)},
        "year 9999": {"value": stating(topic, LAST)},
        "a time no calendar has": {"value": whole[:10] + b"\xff" * 9 + b"\x01" + whole[10:]},
        "large key": {"value": b"junk", "key": b"k" * 1_000_000},
        "large headers": {"value": b"junk", "headers": (("h" * 1000, b"x" * 900_000),)},
        "header of no UTF-8": {"value": b"junk", "headers": (("\\xff", b"x"),)},
    }


CASES = [
    pytest.param(topic, poison, id=f"{topic}-{name}")
    for topic in readers.READ_BY[readers.CONVERSATION]
    for name, poison in poisons(topic).items()
]


@pytest.mark.parametrize(("topic", "poison"), CASES)
@pytest.mark.parametrize("times", [1, 12])
async def test_the_next_good_record_is_taken_and_has_its_effect(topic, poison, times):
    running = Running()
    numbers = running.record(topics.NUMBERS, single_object.encode(NUMBERS))
    bad = [running.record(topic, **poison) for _ in range(times)]
    await running.take([numbers, running.good("before"), *bad, running.good("STOP")])
    texts = running.texts()
    assert (texts[0], texts[-1]) == ("before", "STOP")
    assert [c.state for c in running.written(topics.CONSENT_CHANGE) if c.scope == NUMBER]
    assert running.task.state.point.time is None or running.task.state.point.time < LAST
    for letter in running.written(topics.DEAD_LETTER):
        assert letter.whole_sha256 or letter.octets == (poison["value"] or b"")


@pytest.mark.parametrize("topic", readers.READ_BY[readers.CONVERSATION])
async def test_any_octets_at_all_leave_the_partition_running(topic, record_property):
    record_property("tried", FUZZED)
    chance = dice_for(topic)
    whole = single_object.encode(RECORDS[topic])
    running = Running()
    bad = [running.record(topics.NUMBERS, single_object.encode(NUMBERS))]
    for _ in range(FUZZED):
        octets = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            octets[chance.randrange(10, len(octets))] = chance.randrange(256)
        bad.append(running.record(topic, bytes(octets), headers=(("h", None),)))
    await running.take([*bad, running.record(topics.NUMBERS, single_object.encode(NUMBERS))])
    await running.take([running.good("after all")])
    assert running.texts()[-1] == "after all"


async def test_an_attempt_out_of_range_is_refused():
    running = Running()
    for attempt in (1 << 40, -(1 << 40), 1 << 31):
        result = msgspec.structs.replace(RECORDS[topics.MT_RESULT], attempt=attempt)
        await running.take([running.record(topics.MT_RESULT, single_object.encode(result))])
    assert [letter.reason for letter in running.written(topics.DEAD_LETTER)] == [
        "unreadable-record"
    ] * 3


async def test_twenty_large_parts_of_one_message_go_out_flagged_and_none_is_lost():
    running = Running()
    pieces = [chr(64 + n) * 60_000 for n in range(1, LARGE_PARTS + 1)]
    parts = [
        running.good(
            piece, mo_msg_id=f"m{n}", udh=f"050003ab{LARGE_PARTS:02x}{n:02x}", timestamp=""
        )
        for n, piece in enumerate(pieces, 1)
    ]
    await running.take(parts)
    later = NOON + timedelta(days=2)
    clock = single_object.encode(tick(later))
    await running.take([running.record(topics.CLOCK, clock, at_ms=int(later.timestamp() * 1000))])
    messages = running.written(topics.MO_MESSAGE)
    assert any("many-incomplete" in message.flags for message in messages)
    assert not any(message.complete for message in messages)
    assert all(any(piece in message.text for message in messages) for piece in pieces)
    assert sum(len(message.text) for message in messages) == sum(map(len, pieces))
    assert running.written(topics.DEAD_LETTER) == []
    assert len(running.written(topics.MO_PART)) == LARGE_PARTS
    assert rows_are_small(running)


async def test_thousands_of_parts_under_one_key_are_bounded_and_none_is_lost():
    running = Running()
    many = 600
    parts = [running.good(f"{n:0140d}", mo_msg_id=f"m{n}", udh="050003abff01") for n in range(many)]
    await running.take(parts)
    assert rows_are_small(running)
    messages = running.written(topics.MO_MESSAGE)
    held = sum(
        len(row.open)
        for row in map(
            decode_assemblies, (r.value for r in running.task.state._stores[b"\x02"]._rows.values())
        )
    )
    assert len({m.text for m in messages}) + held == many
    assert all("many-incomplete" in m.flags for m in messages)


async def test_one_id_with_thousands_of_texts_keeps_a_small_row():
    running = Running()
    await running.take([running.good(f"text {n}", mo_msg_id="same") for n in range(500)])
    assert len(running.texts()) == 500
    assert rows_are_small(running, most=1_000, table=SEEN)


def decode_assemblies(octets: bytes):
    from pipeline.stages.parts.reassemble import assemblies_from_octets

    return assemblies_from_octets(octets)


def rows_are_small(running: Running, *, most: int = 140_000, table: str = ASSEMBLIES) -> bool:
    number = running.task.state._number[table]
    sizes = [len(row.value) for row in running.task.state._stores[number]._rows.values()]
    return max(sizes, default=0) <= most


def tick(at: datetime, origin: str = "worker") -> Clock:
    return Clock(time=at, origin=origin)


@pytest.mark.parametrize(
    ("kafka", "ahead", "taken"),
    [
        ("kafka:9092", timedelta(seconds=30), True),
        ("kafka:9092", timedelta(minutes=5), True),
        ("kafka:9092", timedelta(minutes=6), False),
        ("kafka:9092", timedelta(days=1500), False),
        ("", timedelta(hours=6), True),
        ("", timedelta(days=7), True),
        ("", timedelta(days=1500), False),
    ],
)
async def test_a_tick_counts_only_near_the_brokers_own_time(kafka, ahead, taken):
    running = Running(kafka=kafka)
    await running.take([running.record(topics.CLOCK, single_object.encode(tick(NOON + ahead)))])
    assert (running.task.state.point.time == NOON + ahead) is taken
    letters = running.written(topics.DEAD_LETTER)
    assert [letter.reason for letter in letters] == ([] if taken else ["time-not-believed"])


async def test_a_time_that_has_leapt_is_taken_back_for_good_and_only_then():
    running = Running()
    state = running.task.state
    state.point = msgspec.structs.replace(state.point, time=LAST)
    await running.take([running.record(topics.CLOCK, single_object.encode(tick(NOON, "reset")))])
    assert running.task.state.point.time == NOON
    restored = State(TABLES)
    restored.restore(running.producer.visible["changelog"])
    assert restored.point.time == NOON
    later = NOON + timedelta(seconds=5)
    await running.take([running.record(topics.CLOCK, single_object.encode(tick(later)))])
    await running.take([running.record(topics.CLOCK, single_object.encode(tick(NOON, "reset")))])
    assert running.task.state.point.time == later


@pytest.mark.parametrize("time", [FIRST, LAST, NOON + timedelta(days=1500)])
async def test_a_receipt_far_from_the_brokers_time_is_replaced_and_flagged(time):
    running = Running()
    await running.take([running.record(topics.NUMBERS, single_object.encode(NUMBERS))])
    await running.take([running.good("STOP", at=time)])
    (message,) = running.written(topics.MO_MESSAGE)
    assert message.received_at == NOON
    assert message.flags == ["receipt-time-replaced"]
    (*_, change) = running.written(topics.CONSENT_CHANGE)
    assert change.recorded_at == NOON


async def test_an_order_of_the_year_9999_does_not_outweigh_a_later_stop():
    running = Running()
    opening = msgspec.structs.replace(
        RECORDS[topics.CONSENT_REQUEST], action="open", requested_at=LAST
    )
    await running.take([running.record(topics.NUMBERS, single_object.encode(NUMBERS))])
    await running.take([running.record(topics.CONSENT_REQUEST, single_object.encode(opening))])
    await running.take([running.good("STOP", at=NOON + timedelta(seconds=1))])
    later = NOON + timedelta(seconds=9)
    request = msgspec.structs.replace(RECORDS[topics.MT_REQUEST], requested_at=later)
    await running.take([running.record(topics.MT_REQUEST, single_object.encode(request))])
    assert [r.rule for r in running.written(topics.MT_REJECTION)] == ["opted-out"]


async def test_what_only_the_broker_refuses_is_split_until_the_culprit_is_alone():
    running = Running(takes=20_000)
    good = [running.good(f"good {n}") for n in range(9)]
    large = running.record(topics.MT_REQUEST, b"\xc3\x01" + b"x" * 18_000)
    culprit = running.good("c" * 25_000)
    await running.take([*good[:5], large, culprit, *good[5:]])
    assert [text for text in running.texts() if len(text) < 20] == [f"good {n}" for n in range(9)]
    assert running.restores > 1
    assert [letter.reason for letter in running.written(topics.DEAD_LETTER)] == [
        "unreadable-record",
        "too-large",
    ]


async def test_a_unit_of_work_ends_by_octets_and_by_time(monkeypatch):
    running = Running()
    monkeypatch.setattr(running.task.state.written, "unit_octets", 10_000)
    await running.take([running.good(f"{n:0500d}") for n in range(60)])
    assert len(running.producer.committed) > 5
    commits = len(running.producer.committed)
    monkeypatch.setattr(running.task.state.written, "unit_octets", 1 << 30)
    monkeypatch.setattr("pipeline.engine.unit_of_work.UNIT_SECONDS", -1.0)
    await running.take([running.good(f"again {n}") for n in range(20)])
    assert len(running.producer.committed) == commits + 20
    assert len(running.texts()) == 80


async def test_a_row_that_cannot_fall_due_does_not_hold_up_time():
    running = Running()
    table = running.task.state.tables[ASSEMBLIES]
    table.put(b"bad", b"\xc1", due_at=NOON)
    running.task.state.apply(running.task.state.point)
    later = NOON + timedelta(seconds=1)
    await running.take([running.record(topics.CLOCK, single_object.encode(tick(NOON)))])
    await running.take([running.record(topics.CLOCK, single_object.encode(tick(later)))])
    assert running.task.state.point.time == later
    assert [letter.reason for letter in running.written(topics.DEAD_LETTER)] == ["failed"]


async def test_effects_of_one_record_are_bounded(monkeypatch):
    running = Running()
    written = running.task.state.written
    monkeypatch.setattr(written, "unit_octets", 2_000)
    monkeypatch.setattr(written, "effect_octets", 8_000)
    await running.take([running.good("a" * 4_000), running.good("after")])
    assert running.texts() == ["after"]
    assert [letter.reason for letter in running.written(topics.DEAD_LETTER)] == ["too-large"]
