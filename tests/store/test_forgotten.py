"""The records that the store leaves out when they are read again after an erasure."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import msgspec
import pytest

from pipeline import records
from pipeline.avro import single_object
from pipeline.kafka import topics
from pipeline.records import Erasure, ForgetRequest
from pipeline.store.decoding import KIND_OF, Decoder
from pipeline.store.erasure.apply import Erasures, Gate
from pipeline.store.forgotten import SLACK_MS, Forgotten
from pipeline.store.sink.lane import BlockLimits
from pipeline.store.sink.sink import Sink
from pipeline.suppression_key import SuppressionKey, SuppressionKeyError, make_key
from pipeline.whose.rules import OF_RECORD
from tests.store.clickhouse.test_delete import LETTER, OTHER, of
from tests.store.kafka_fake import FakeOffsets, FakeWriter, Fuse, Log, play
from tests.store.samples import AT, HANDSET, SAMPLES, kafka_record, mo_message

KEY = SuppressionKey(bytes(32))
AT_MS = int(AT.timestamp() * 1000)  # of every record of these tests
TOPIC_OF = {kind: topic for topic, kind in KIND_OF.items()}
PERSONAL = [sample for sample in SAMPLES if type(sample) in OF_RECORD]


def forgotten(until_ms: int, handset: str = HANDSET) -> Forgotten:
    held = Forgotten(KEY)
    held.note(KEY.of(handset), until_ms)
    return held


def stored(record, held: Forgotten, key: str = HANDSET):
    """The rows of the record's table, and of the dead letters."""
    topic = TOPIC_OF[type(record)]
    taken = kafka_record(topic, record, offset=5, key=key.encode())
    table, letters = Decoder(topic, held).tables([taken])
    return len(table.rows), len(letters.rows)


@pytest.mark.parametrize("sample", PERSONAL, ids=lambda sample: type(sample).__name__)
def test_a_record_is_kept_out_that_is_no_younger_than_the_erasure(sample):
    record = of(HANDSET, sample)
    assert stored(record, forgotten(AT_MS)) == (0, 0)
    assert stored(record, forgotten(AT_MS - 1)) == (1, 0)
    assert stored(record, forgotten(AT_MS, OTHER)) == (1, 0)
    assert stored(record, Forgotten(KEY)) == (1, 0)


@pytest.mark.parametrize(
    ("octets", "kept"),
    [
        (b"\x00\x01447700900001\x02", False),
        (b"from=%2B447700900001&", False),
        (b"00447700900001", False),
        (b"4477009\x000001", True),
        (b"447700900002", True),
    ],
    ids=["bare", "in-a-query", "within-a-longer-run", "broken", "another"],
)
def test_octets_nobody_can_read_are_searched_for_the_number(octets, kept):
    letter = msgspec.structs.replace(LETTER, octets=octets)
    assert stored(letter, forgotten(AT_MS), key="") == (int(kept), 0)
    taken = kafka_record(topics.MO_RAW, octets, offset=5, key=b"")
    rows, letters = Decoder(topics.MO_RAW, forgotten(AT_MS)).tables([taken])
    assert (len(rows.rows), len(letters.rows)) == (0, int(kept))


@pytest.mark.parametrize("kind", [records.MtResult, records.MtState])
def test_what_comes_late_of_a_command_is_stored_without_what_names_its_handset(kind):
    late = next(sample for sample in SAMPLES if isinstance(sample, kind))
    taken = kafka_record(TOPIC_OF[kind], late, offset=5)
    table, _ = Decoder(TOPIC_OF[kind], forgotten(AT_MS - 1)).tables([taken])
    (row,) = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    assert (row["handset"], row["request_id"], row["words"]) == ("", "", "")
    assert (row["command_id"], row["attempt"]) == (late.command_id, late.attempt)


class FakeTopics:
    """Erasures and their orders, as Kafka has them."""

    def __init__(self, *erased: tuple[Erasure, ForgetRequest]) -> None:
        self._orders = [order for _, order in erased]
        self.records = [
            kafka_record(topics.ERASURE, erasure, offset=offset)
            for offset, (erasure, _) in enumerate(erased)
        ]

    async def erasures(self):
        return self.records

    async def order(self, partition, offset):
        if offset >= len(self._orders):
            return None
        return kafka_record(topics.FORGET_REQUEST, self._orders[offset], offset=offset)

    async def offsets_after(self, at_ms):
        assert at_ms == AT_MS + SLACK_MS
        return {(topics.MO_MESSAGE, 0): 3}


class ErasingWriter(FakeWriter):
    """Deletes by handset and offset, as the real writer does, from its rows."""

    async def erase(self, handset, before):
        await asyncio.sleep(0)
        for table, rows in self.rows.items():
            end = before.get((table.removesuffix("_rows").replace("_", "-"), 0), 1_000)
            self.rows[table] = [row for row in rows if handset not in row or int(row[-1]) >= end]
        return {}


def erased(key=KEY, *, handset: str = HANDSET, order_offset: int = 0):
    erasure = Erasure(
        erasure_id="e",
        suppression=key.of(handset).hex(),
        key_id=key.fingerprint.hex(),
        request_id="f",
        order_offset=order_offset,
        at=AT,
        actor="anna",
        reason="x",
        rows=[],
        stops=[],
    )
    order = ForgetRequest(
        request_id="f", handset=f"+{handset}", actor="anna", reason="x", requested_at=AT
    )
    return erasure, order


def file_of_key(tmp_path, key=KEY):
    file = tmp_path / "key"
    file.write_text(key._octets.hex())
    file.chmod(0o600)
    return file


@pytest.mark.parametrize("seed", range(12))
async def test_in_whatever_order_the_topics_are_read_the_handset_is_gone(tmp_path, seed):
    messages = [
        kafka_record(
            topics.MO_MESSAGE,
            mo_message(message_id=str(offset), handset=OTHER if offset % 2 else HANDSET),
            offset=offset,
        )
        for offset in range(6)
    ]
    held = FakeTopics(erased())
    # The last two are younger than the erasure.
    messages[4:] = [replace(m, timestamp=AT_MS + SLACK_MS + 1) for m in messages[4:]]
    log = Log(
        {(topics.MO_MESSAGE, 0): messages, (topics.ERASURE, 0): held.records},
        {(topics.MO_MESSAGE, 0): 6, (topics.ERASURE, 0): 1},
    )
    writer = ErasingWriter(Fuse())
    sink = Sink(writer=writer, limits=BlockLimits(rows=2, seconds=0.0))
    offsets = FakeOffsets(Fuse())
    erasures = Erasures(writer=writer, key_file=file_of_key(tmp_path), topics=held)
    started = sink.start
    sink.start = lambda port: started(port, erasures)
    assert await play(sink, log, offsets, seed=seed)
    kept = sorted(row[0] for row in writer.rows["mo_message_rows"])
    assert kept == ["1", "3", "4", "5"]


@pytest.mark.parametrize(
    ("key", "words"), [(None, "key is missing: restore it"), (b"\x01" * 32, "is not the key")]
)
async def test_without_the_key_the_store_does_not_begin(tmp_path, key, words):
    file = tmp_path / "key"
    if key:
        file = file_of_key(tmp_path, SuppressionKey(key))
    erasures = Erasures(writer=FakeWriter(Fuse()), key_file=file, topics=FakeTopics(erased()))
    with pytest.raises(SuppressionKeyError, match=words):
        await erasures.load()


async def test_an_erasure_whose_order_is_gone_is_said_and_stops_nothing(tmp_path, caplog):
    held = FakeTopics(erased(order_offset=9))
    erasures = Erasures(writer=FakeWriter(Fuse()), key_file=file_of_key(tmp_path), topics=held)
    await erasures.apply(held.records[0])
    assert "Kafka no longer has its order with the number" in caplog.text


async def test_an_order_of_another_handset_is_not_carried_out(tmp_path):
    erasure, _ = erased()
    _, order = erased(handset=OTHER)
    erasures = Erasures(
        writer=FakeWriter(Fuse()), key_file=file_of_key(tmp_path), topics=FakeTopics()
    )
    erasures._topics = FakeTopics((erasure, order))
    with pytest.raises(SuppressionKeyError, match="is not of the handset"):
        await erasures.apply(erasures._topics.records[0])


async def test_what_is_no_erasure_is_passed_over(tmp_path):
    held = FakeTopics()
    held.records = [kafka_record(topics.ERASURE, b"x", offset=0)]
    erasures = Erasures(writer=FakeWriter(Fuse()), key_file=tmp_path / "none", topics=held)
    await erasures.load()
    await erasures.apply(held.records[0])


async def test_an_erasure_waits_for_rows_under_way_and_holds_up_new_ones():
    gate, done = Gate(), []
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def write(name, *, waits):
        async with gate.writing():
            begun.set()
            if waits:
                await go_on.wait()
            done.append(name)

    async def erase():
        async with gate.erasing():
            done.append("erased")

    first = asyncio.create_task(write("first", waits=True))
    await begun.wait()
    rest = [asyncio.create_task(erase()), asyncio.create_task(write("second", waits=False))]
    for _ in range(10):
        await asyncio.sleep(0)
    assert done == []
    go_on.set()
    await asyncio.gather(first, *rest)
    assert done == ["first", "erased", "second"]


def test_a_key_is_made_once_and_read_by_its_owner_alone(tmp_path):
    file = tmp_path / "deep" / "key"
    made = make_key(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(single_object.encode(erased(made)[0])) > 0
    with pytest.raises(FileExistsError):
        make_key(file)
