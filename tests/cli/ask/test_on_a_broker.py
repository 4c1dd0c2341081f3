"""The commands that talk to a broker, on a real broker that this file begins empty."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from kafka import KafkaProducer, TopicPartition

from pipeline.avro.single_object import decode
from pipeline.cli.ask.broker import Outgoing, open_admin, open_consumer, publish
from pipeline.cli.ask.reading import newest_records
from pipeline.cli.operate import advance, groups
from pipeline.cli.terminal.failure import CommandError
from pipeline.clock import PipelineClock
from pipeline.kafka import readers, topics
from pipeline.records import Clock, DeadLetter, Header, MoMessage, MtRequest, Numbers
from tests.store.samples import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.cli.local.kafka import LocalKafka

    Run = Callable[..., tuple[int, str, str]]

pytestmark = pytest.mark.broker

PARTITIONS = 4
NUMBERS_TOML = """
[[number]]
number = "447700900999"
kind = "vmn"
api_id = "3281547"
"""


@pytest.fixture(scope="module")
def broker(empty_kafka: Callable[[], LocalKafka]) -> str:
    """Without a worker: the commands write to topics that workers read."""
    return empty_kafka().bootstrap


@pytest.fixture
def run(broker: str, run_on: Run) -> Run:
    """Runs a command line on the broker: exit code, stdout and stderr."""
    return partial(run_on, broker)


def newest(broker: str, topic: str) -> list[Any]:
    with open_consumer(broker) as consumer:
        return newest_records(consumer, topic, window=1000)


def test_mt_publishes_the_request_to_the_handsets_partition(run: Run, broker: str) -> None:
    line = (
        "mt --to +447700900001 --text Hello --from 447700900999 --not-after 2030-01-02T03:04+02:00"
    )
    code, out, err = run(*line.split(), "--confirms-opt-out", "--request-id", "order-7")
    assert (code, out, err) == (0, "order-7\n", "")
    record = next(each for each in newest(broker, topics.MT_REQUEST) if b"order-7" in each.value)
    assert record.key == b"447700900001"
    assert record.partition == topics.partition_of(b"447700900001", PARTITIONS)
    request = decode(record.value)
    assert isinstance(request, MtRequest)
    assert (request.to, request.text, request.sender_id) == (
        "447700900001",
        "Hello",
        "447700900999",
    )
    assert request.confirms_opt_out is True
    assert request.not_after == datetime(2030, 1, 2, 1, 4, tzinfo=UTC)


def test_each_request_without_an_id_gets_one_of_its_own(run: Run) -> None:
    ids = {run("mt", "--to", "447700900001", "--text", "Hello")[1] for _ in range(2)}
    assert len(ids) == 2


def test_consume_prints_records_as_json_lines(run: Run) -> None:
    _, request_id, _ = run("mt", "--to", "447700900002", "--text", "é", "--request-id", "first")
    code, out, err = run("consume", "mt-request", "--from-beginning", "--max", "1")
    assert (code, err, request_id) == (0, "", "first\n")
    line = json.loads(out)
    assert set(line) == {"topic", "partition", "offset", "key", "record", "value"}
    assert (line["topic"], line["record"]) == ("mt-request", "MtRequest")
    assert line["value"]["requested_at"].endswith("Z")


def test_consume_shows_what_it_cannot_read(run: Run, broker: str) -> None:
    producer = KafkaProducer(bootstrap_servers=broker)
    producer.send(topics.MO_PART, b"\xc3\x01and other garbage", key=b"\xff").get(timeout=30)
    producer.close()
    code, out, _ = run("consume", "mo-part", "--from-beginning", "--max", "1")
    line = json.loads(out)
    assert code == 0
    assert line["octets"] == b"\xc3\x01and other garbage".hex()
    assert line["key_octets"] == "ff"
    assert line["unreadable"].startswith("no schema has the fingerprint")


def test_consume_of_an_unknown_topic_lists_the_topics(run: Run) -> None:
    code, out, err = run("consume", "mo-massage")
    assert (code, out) == (1, "")
    assert err.startswith("twoway: there is no topic 'mo-massage'; there are account-charge, ")
    assert err.count("\n") == 1


def test_numbers_are_written_to_every_partition(run: Run, broker: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(NUMBERS_TOML)
    code, out, err = run("numbers", "load", str(file))
    assert (code, err) == (0, "")
    assert out.endswith("written to 4 partitions\n")
    found = newest(broker, topics.NUMBERS)
    assert sorted(record.partition for record in found) == list(range(PARTITIONS))
    directories = [decode(record.value) for record in found]
    assert all(isinstance(each, Numbers) for each in directories)
    assert len({each.digest for each in directories if isinstance(each, Numbers)}) == 1


def test_wrong_numbers_are_refused_and_nothing_is_written(
    run: Run, broker: str, tmp_path: Path
) -> None:
    before = len(newest(broker, topics.NUMBERS))
    file = tmp_path / "wrong.toml"
    file.write_text('[[number]]\nnumber = "447700900999"\nkind = "pager"\n')
    for command in ("check", "load"):
        code, out, err = run("numbers", command, str(file))
        assert (code, out) == (1, "")
        assert f"{file}:3: " in err
        assert "kind" in err
    assert len(newest(broker, topics.NUMBERS)) == before


def test_dead_letters_show_octets_only_when_asked(run: Run, broker: str) -> None:
    letters = [
        DeadLetter(
            dead_letter_id=f"{number:032x}",
            topic="" if number else "mo-raw",
            partition=-1 if number else 2,
            offset=-1 if number else 17,
            key=None,
            headers=[Header(name="query", value=b"from=")],
            octets=b"\x00secret",
            source="http",
            stage="ingest",
            reason="missing-from",
            words="from is absent",
            at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number),
        )
        for number in range(3)
    ]
    publish(broker, [Outgoing(topic=topics.DEAD_LETTER, record=letter) for letter in letters])
    code, out, err = run("dead-letter", "list")
    lines = out.splitlines()
    assert (code, err, len(lines)) == (0, "", 3)
    assert b"\x00secret".hex() not in out
    assert lines[0] == (
        f"{0:032x}  2026-01-01T00:00:00Z  ingest  missing-from: from is absent"
        " (mo-raw/2@17 by http)"
    )
    assert [json.loads(line)["id"] for line in run("dead-letter", "list", "--json")[1].splitlines()]
    _, out, _ = run("dead-letter", "list", "--max", "1", "--octets", "--json")
    newest_letter = json.loads(out)
    assert newest_letter["id"] == f"{2:032x}"
    assert newest_letter["octets"] == b"\x00secret".hex()
    assert newest_letter["headers"] == {"query": b"from=".hex()}


@pytest.fixture(scope="module")
def transactions(broker: str) -> TopicPartition:
    """Three committed transactions of two records in a partition, and an aborted one at the end."""
    producer = KafkaProducer(bootstrap_servers=broker, transactional_id="cli-lag")
    producer.init_transactions()
    for number in range(4):
        producer.begin_transaction()
        for _ in range(2):
            producer.send(topics.MT_RESULT, b"value", partition=0).get(timeout=30)
        producer.commit_transaction() if number < 3 else producer.abort_transaction()
    producer.close()
    return TopicPartition(topics.MT_RESULT, 0)


# 0 1 | 2 marker | 3 4 | 5 marker | 6 7 | 8 marker | 9 10 aborted | 11 marker; the end is 12.
LAGS = [
    (0, 6, 8, "from the beginning"),
    (4, 3, 8, "in the middle"),
    (7, 1, 8, "one to go"),
    (8, 0, 8, "before the last marker"),
    (9, 0, 9, "before what was aborted"),
    (12, 0, 12, "at the very end"),
]


@pytest.mark.parametrize(
    ("offset", "count", "done_at"), [row[:3] for row in LAGS], ids=[row[3] for row in LAGS]
)
def test_lag_counts_records_and_not_markers(
    offset: int, count: int, done_at: int, broker: str, transactions: TopicPartition
) -> None:
    with open_consumer(broker) as consumer, open_admin(broker) as admin:
        ends = groups.offsets_at(admin, [transactions])
        lag = groups.lags(consumer, {transactions: offset}, ends=ends)[transactions]
    assert ends[transactions] == 12
    assert (lag.records, lag.done_at, lag.at_most) == (count, done_at, False)


def test_a_long_lag_is_not_read_but_said_to_be_at_most(
    broker: str, transactions: TopicPartition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "COUNTED_RECORDS", 5)
    with open_consumer(broker) as consumer, open_admin(broker) as admin:
        ends = groups.offsets_at(admin, [transactions])
        lag = groups.lags(consumer, {transactions: 0}, ends=ends)[transactions]
    assert (lag.records, lag.done_at, lag.at_most) == (12, 8, True)


def test_status_counts_what_nobody_worked_on(run: Run, transactions: TopicPartition) -> None:
    code, out, err = run("status", "--json")
    state = json.loads(out)
    assert (code, err) == (0, "")
    assert {partition["partition"] for partition in state["partitions"]} == set(range(PARTITIONS))
    assert state["partitions"][transactions.partition]["conversation_lag"] >= 6
    assert {"worker", "store", "ingest"} == set(state["down"])


def test_advance_says_who_does_not_work(
    broker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(advance, "PATIENCE_SECONDS", 0.3)
    clock = PipelineClock(tmp_path)
    with pytest.raises(CommandError, match="the workers did not finish partition 0 of clock"):
        advance.advance_clock(
            broker, clock, timedelta(minutes=2, seconds=30), say=lambda words: None
        )
    assert clock.offset() == timedelta(minutes=2, seconds=30)
    ticks: dict[int, list[datetime]] = {}
    for record in newest(broker, topics.CLOCK):
        tick = decode(record.value)
        assert isinstance(tick, Clock)
        assert tick.origin == "advance"
        ticks.setdefault(record.partition, []).append(tick.time)
    assert set(ticks) == set(range(PARTITIONS))
    for times in ticks.values():
        assert [later - times[0] for later in times] == [
            timedelta(),
            timedelta(minutes=1),
            timedelta(minutes=1, seconds=30),
        ]


def test_advance_returns_when_workers_and_store_are_through(
    broker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Committed offsets play the groups, as soon as the ticks are there."""

    def committed(outgoing: Any) -> Any:
        last = real_publish(broker, outgoing)
        with open_admin(broker) as admin:
            for group, names in readers.READ_BY.items():
                partitions = [TopicPartition(name, n) for name in names for n in range(PARTITIONS)]
                ends = groups.offsets_at(admin, partitions)
                offsets = {at: groups_offset(end) for at, end in ends.items()}
                admin.alter_group_offsets(group, offsets)
        return last

    real_publish = advance.publish
    monkeypatch.setattr(advance, "publish", lambda _, outgoing: committed(outgoing))
    clock = PipelineClock(tmp_path)
    start = clock.now()
    time = advance.advance_clock(broker, clock, timedelta(hours=1), say=lambda words: None)
    assert time >= start + timedelta(hours=1)
    assert clock.now() >= time


def groups_offset(offset: int) -> Any:
    """An offset as the admin client commits it."""
    from kafka.structs import OffsetAndMetadata

    return OffsetAndMetadata(offset, "", -1)


def tail_on(broker: str, *words: str) -> subprocess.Popen[str]:
    """`twoway tail` as a process of its own, whose output is a pipe."""
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli.main", "tail", "--from-beginning", *words],
        env=os.environ | {"TWOWAY_KAFKA": broker},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def stored_message(broker: str, text: str) -> None:
    message = next(each for each in SAMPLES if isinstance(each, MoMessage))
    message = msgspec.structs.replace(message, handset="447700900001", text=text)
    publish(broker, [Outgoing(topic=topics.MO_MESSAGE, record=message, key=b"447700900001")])


def test_tail_shows_what_is_asked_for(run: Run, broker: str) -> None:
    stored_message(broker, "a tail \x1b[2J of it")
    words = ("tail", "--from-beginning", "--max", "1", "--text", "a tail", "--only", "in")
    code, out, err = run(*words)
    assert (code, err, out.count("\n")) == (0, "", 1)
    assert '"a tail \\u001b[2J of it"' in out
    assert "44770*****01" in out
    line = json.loads(run(*words, "--json")[1])
    assert line["value"]["handset"] == "447700900001"
    code, _, err = run("tail", "--only", "messages")
    assert (code, err.count("\n")) == (1, 1)


@pytest.mark.parametrize("ending", ["ctrl-c", "closed pipe"])
def test_tail_ends_without_a_complaint(broker: str, ending: str) -> None:
    """A pipe that is closed ends it although no record comes that would be written."""
    stored_message(broker, "one line")
    tail = tail_on(broker, "--text", "one line")
    assert tail.stdout is not None
    assert tail.stderr is not None
    assert "one line" in tail.stdout.readline()
    if ending == "ctrl-c":
        tail.send_signal(signal.SIGINT)
    else:
        tail.stdout.close()
    try:
        code = tail.wait(30)
    finally:
        tail.kill()
    said = tail.stderr.read()
    tail.stderr.close()
    tail.stdout.close()
    assert (code, said) == (130 if ending == "ctrl-c" else 0, "")
