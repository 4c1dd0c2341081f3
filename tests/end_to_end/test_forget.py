"""The running stack forgets a handset, in tables, on disk and in ClickHouse, but not its STOP."""

from __future__ import annotations

import asyncio
import re

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from pipeline.cli.ask.broker import Outgoing, publish
from pipeline.kafka import topics
from pipeline.records import MtResult
from pipeline.settings import Settings
from pipeline.store.decoding import KIND_OF
from pipeline.store.erasure.apply import Erasures
from pipeline.store.erasure.topics import KafkaErasureTopics
from pipeline.store.sink.lane import BlockLimits
from pipeline.store.sink.sink import Sink
from pipeline.suppression_key import key_file
from tests.store.kafka_fake import FakeOffsets, FakeWriter, Fuse, Log, play
from tests.support.rented_numbers import ANN, BOB

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]

PARTITIONS = 4
WHY = ("--reason", "Asked by letter.", "--by", "anna")


def partition_of(handset: str) -> int:
    return topics.partition_of(handset.encode(), PARTITIONS)


def files_with(handset: str, folder) -> list[str]:
    found = []
    for file in folder.rglob("*"):
        try:
            if file.is_file() and handset.encode() in file.read_bytes():
                found.append(str(file))
        except FileNotFoundError:  # RocksDB and ClickHouse replace files as they please
            continue
    return found


async def read_partition(kafka: str, names: list[str], partition: int):
    """Every committed record of one partition of these topics, and the end offsets."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka, isolation_level="read_committed", auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        tps = [TopicPartition(name, partition) for name in names]
        ends = await consumer.end_offsets(tps)
        consumer.assign(tps)
        found = {(tp.topic, tp.partition): [] for tp in tps}
        while any([await consumer.position(tp) < ends[tp] for tp in tps]):
            for tp, records in (await consumer.getmany(timeout_ms=200)).items():
                found[tp.topic, tp.partition] += [r for r in records if r.offset < ends[tp]]
    finally:
        await consumer.stop()
    return Log(found, {(tp.topic, tp.partition): end for tp, end in ends.items()})


def a_life(outside, handset: str) -> None:
    """Everything that can be kept of a handset: in every table, topic and view."""
    outside.text(handset, "hello")
    outside.text(handset, "first ", udh="050003C20201")
    refused = outside.http.get(f"{outside.ingest}/mo/http?from={handset}&text=whom?")
    assert refused.status_code == 400
    outside.text(handset, "Stop!")
    outside.rows("consent_change", handset)
    assert outside.decided(outside.ask_mt(to=handset, text="news"))["rule"] == "opted-out"
    outside.decided(outside.ask_mt(to=handset, text="Bye.", confirms_opt_out=True))
    outside.running.cli("stop", handset, BOB, *WHY)
    outside.rows("consent_change", handset, at_least=3)
    for view in ("mo_raw", "mo_part", "mo_message", "mt_request", "mt_command", "mt_rejection"):
        outside.rows(view, handset)
    letters = """SELECT count() AS n FROM dead_letter
        WHERE arrayExists(held -> position(held, {h:String}) > 0, headers.value)"""
    outside.wait(lambda: outside.sql(letters, h=handset)[0]["n"] or None, "the dead letter")


@pytest.fixture(scope="module")
def forgotten(outside):
    """A handset that was forgotten, and the output of the command."""
    handset, home = outside.new_handset(), outside.running.home
    a_life(outside, handset)
    assert files_with(handset, home / "state")
    assert files_with(handset, home / "clickhouse")
    return handset, outside.running.cli("forget", f"+{handset}", *WHY)


def test_nothing_is_left_of_a_handset_but_that_it_is_stopped(outside, forgotten):
    handset, done = forgotten
    home = outside.running.home
    counted = {
        name: (int(before), int(after))
        for name, before, after in re.findall(r"(?m)^(\w+ \w+) +(\d+) +(\d+)$", done.stdout)
    }
    assert counted["table assemblies"] == counted["table consents"] == (1, 0)
    assert counted["table outbox"] == (1, 0)  # the confirmation, for which no sender has asked
    assert counted["clickhouse mo_message"] == (2, 0)
    assert counted["clickhouse dead_letter"] == (1, 0)
    assert {after for _, after in counted.values()} == {0}
    assert re.search(r"(?m)^tombstones in the changelog +3$", done.stdout)
    assert re.search(r"(?m)^clickhouse, old parts +0$", done.stdout)
    assert f"stays stopped: number {ANN} since" in done.stdout
    assert f"stays stopped: number {BOB} since" in done.stdout
    assert re.search(r"(?m)^  mo-raw +20\d\d-\d\d-\d\dT\S+Z \(retention 30 d", done.stdout)
    assert handset not in done.stdout
    assert files_with(handset, home / "state") == []
    assert files_with(handset, home / "clickhouse") == []
    (erasure,) = outside.sql(
        "SELECT * FROM erasure WHERE suppression = {s:String}",
        s=re.search(r"suppression ([0-9a-f]{64})", done.stdout)[1],
    )
    assert (erasure["actor"], erasure["reason"]) == ("anna", "Asked by letter.")
    said = outside.running.cli("why", handset).stdout
    assert re.match(r"forgotten at \S+Z, by order of anna: Asked by letter\.", said)
    assert "stops are kept under a suppression" in said


def test_a_stop_stays_a_stop_and_a_late_result_brings_nothing_back(outside, handset):
    command = outside.decided(outside.ask_mt(to=handset, text="hello"))
    outside.text(handset, "stop")
    outside.rows("consent_change", handset)
    outside.running.cli("forget", handset, *WHY)
    a_result_comes(outside, handset, command)
    refused = outside.decided(outside.ask_mt(to=handset, text="news"))
    assert refused["rule"] == "opted-out"
    assert "(suppression)" in refused["detail"]
    assert outside.decided(outside.ask_mt(to=handset, text="news", **{"from": BOB}))["state"] == (
        "command"
    )
    outside.let_a_second_begin()
    outside.text(handset, "I am back")
    outside.rows("mo_message", handset)
    assert outside.decided(outside.ask_mt(to=handset, text="Welcome"))["state"] == "command"
    changes = outside.rows("consent_change", handset, at_least=2, order="recorded_at")
    assert [change["rule"] for change in changes] == ["suppression", "re-enabled"]


def a_result_comes(outside, handset: str, command) -> None:
    """The gateway reports on an earlier command: neither table nor view says whose it was."""
    result = MtResult(
        result_id=f"late-{command['command_id']}",
        command_id=command["command_id"],
        request_id=command["request_id"],
        handset=handset,
        outcome="delivered",
        final=True,
        gateway_message_id="g1",
        code="004",
        words="",
        attempt=1,
        at=outside.clock.now(),
    )
    publish(
        outside.running.stack.kafka,
        [Outgoing(topic=topics.MT_RESULT, record=result, key=handset.encode())],
    )
    query = "SELECT handset, request_id, outcome FROM mt_result WHERE command_id = {c:String}"
    found = outside.wait(lambda: outside.sql(query, c=command["command_id"]) or None, "the result")
    assert found == [{"handset": "", "request_id": "", "outcome": "delivered"}]
    assert files_with(handset, outside.running.home / "state") == []


def test_a_store_that_reads_all_topics_again_brings_nothing_back(outside, forgotten):
    handset, _ = forgotten
    outside.text(handset, "once more")
    outside.rows("mo_message", handset)
    kafka = outside.running.stack.kafka
    settings = Settings(home=outside.running.home)

    async def replay() -> FakeWriter:
        log = await read_partition(kafka, list(KIND_OF), partition_of(handset))
        writer = FakeWriter(Fuse())
        writer.erase = erased_nothing
        sink = Sink(writer=writer, limits=BlockLimits(rows=50, seconds=0.0))
        source = KafkaErasureTopics(kafka, stored=sink.topics, partitions=PARTITIONS)
        erasures = Erasures(writer=writer, key_file=key_file(settings), topics=source)
        start = sink.start
        sink.start = lambda port: start(port, erasures)
        assert any(handset.encode() in (r.value or b"") for rs in log.records.values() for r in rs)
        assert await play(sink, log, FakeOffsets(Fuse()), seed=1)
        return writer

    async def erased_nothing(_handset, before):
        """Delete nothing: the store must not write these rows at all."""
        assert before
        return {}

    written = asyncio.run(replay()).rows
    of_handset = [
        (table, row) for table, rows in written.items() for row in rows if handset in map(str, row)
    ]
    assert {table for table, _ in of_handset} <= {
        "mo_raw_rows",
        "mo_part_rows",
        "mo_message_rows",
        "consent_change_rows",
    }
    texts = [row[3] for table, row in of_handset if table == "mo_message_rows"]
    assert texts == ["once more"]


def test_what_cannot_be_ordered_is_said(outside, handset):
    told = outside.running.cli("forget", handset, "--reason", f"of {handset}", check=False)
    assert told.returncode == 2
    assert "it must not hold the number" in told.stderr
    told = outside.running.cli("forget", "Shop", *WHY, check=False)
    assert told.returncode == 2
