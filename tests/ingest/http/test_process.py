"""The ingest process and a real Kafka."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from pipeline.avro.single_object import Unreadable, decode, encode
from pipeline.cli.local.ports import free_port
from pipeline.kafka.admin import create_topics
from pipeline.kafka.topics import DEAD_LETTER, MO_RAW, MT_COMMAND, MT_REQUEST, partition_of
from pipeline.records import DeadLetter, MoRaw, Record
from pipeline.settings import Settings
from tests.ingest.http.mt.test_status import command
from tests.ingest.http.process import PATIENCE_SECONDS, RUN, IngestProcess, ingest_process
from tests.support.running import environment_without_settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.cli.local.kafka import LocalKafka

pytestmark = pytest.mark.broker


def new_handset() -> str:
    """A handset that no other test has."""
    return f"4477{int(token_hex(5), 16):013d}"


async def _read(bootstrap: str, topic: str) -> list[Any]:
    async with AIOKafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", auto_offset_reset="earliest"
    ) as consumer:
        numbers = (await consumer._client.fetch_all_metadata()).partitions_for_topic(topic)
        partitions = [TopicPartition(topic, number) for number in numbers or ()]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        found: list[Any] = []
        for partition, end in ends.items():
            consumer.assign([partition])
            consumer.seek(partition, 0)
            while end and (not found or await consumer.position(partition) < end):
                for records in (await consumer.getmany(partition, timeout_ms=500)).values():
                    found += records
                if await consumer.position(partition) >= end:
                    break
        return found


def records_in(bootstrap: str, topic: str) -> list[tuple[int, bytes | None, Record]]:
    """Partition, key and record of each record in a topic; other tests put invalid ones there."""
    read = []
    for found in asyncio.run(_read(bootstrap, topic)):
        with suppress(Unreadable):
            read.append((found.partition, found.key, decode(found.value)))
    return read


@pytest.fixture
def ingest(kafka: str, tmp_path: Path) -> Any:
    """An ingest process that is ready, on the suite's broker."""
    with ingest_process(tmp_path, {"kafka": kafka}) as process:
        process.wait_until("/readyz", 200)
        yield process


def test_what_was_answered_200_is_in_kafka_where_its_handset_belongs(
    kafka: str, ingest: IngestProcess
) -> None:
    handsets = [new_handset() for _ in range(40)]

    def deliver(handset: str) -> int:
        query = f"from=%2B{handset}&to=12345&text=%FE%00&charset=UTF-16BE"
        if int(handset) % 2:
            return ingest.status_of(f"/mo/http?{query}")
        return ingest.status_of("/mo/http?mine=1", body=query.encode())

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(deliver, handsets)) == {200}
    found = {
        key.decode(): (partition, record)
        for partition, key, record in records_in(kafka, MO_RAW)
        if key is not None and key.decode() in handsets
    }
    assert set(found) == set(handsets)
    for handset, (partition, record) in found.items():
        assert isinstance(record, MoRaw)
        assert partition == partition_of(handset.encode(), 4)
        assert f"from=%2B{handset}&to=12345&text=%FE%00".encode() in record.query + record.octets


def test_a_refused_callback_is_in_the_dead_letter(kafka: str, ingest: IngestProcess) -> None:
    mark = token_hex(8)
    assert ingest.status_of(f"/mo/http?to=12345&text={mark}") == 400
    letters = [
        letter
        for _, _, letter in records_in(kafka, DEAD_LETTER)
        if isinstance(letter, DeadLetter) and any(mark.encode() in h.value for h in letter.headers)
    ]
    assert [(letter.reason, letter.stage, letter.topic) for letter in letters] == [
        ("missing-from", "ingest", "")
    ]


async def _publish(bootstrap: str, topic: str, *records: Record, commit: bool) -> None:
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, transactional_id=f"test-{token_hex(4)}"
    ) as producer:
        await producer.begin_transaction()
        for record in records:
            await producer.send(topic, encode(record), key=b"4477")
        if commit:
            await producer.commit_transaction()
        else:
            await producer.flush()
            await producer.abort_transaction()


def test_the_status_of_a_request_follows_the_topics(kafka: str, ingest: IngestProcess) -> None:
    kept, undone = f"kept-{token_hex(6)}", f"undone-{token_hex(6)}"
    asked = {"to": f"+{new_handset()}", "text": "Hello"}
    for request_id in (kept, undone):
        status, _ = ingest.call("/mt", body=json.dumps(asked).encode(), Idempotency_Key=request_id)
        assert status == 202
        assert ingest.mt_status(request_id)["state"] == "pending"
    asyncio.run(_publish(kafka, MT_COMMAND, command(undone), commit=False))
    asyncio.run(_publish(kafka, MT_COMMAND, command(kept), commit=True))
    deadline = time.monotonic() + 30
    while ingest.mt_status(kept)["state"] != "command":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert ingest.mt_status(undone)["state"] == "pending"


def test_another_process_knows_what_was_asked(
    kafka: str, ingest: IngestProcess, tmp_path: Path
) -> None:
    request_id, asked = f"there-{token_hex(6)}", {"to": new_handset(), "text": "Hello"}
    body = json.dumps(asked).encode()
    assert ingest.status_of("/mt", body=body, Idempotency_Key=request_id) == 202
    (tmp_path / "other").mkdir()
    with ingest_process(tmp_path / "other", {"kafka": kafka}) as other:
        other.wait_until(f"/mt/{request_id}", 200)
        assert other.mt_status(request_id)["text"] == "Hello"
        assert other.status_of("/mt", body=body, Idempotency_Key=request_id) == 202
        changed = json.dumps(asked | {"text": "Hullo"}).encode()
        assert other.status_of("/mt", body=changed, Idempotency_Key=request_id) == 409
        other.wait_until(f"/mt/{token_hex(6)}", 404)  # it has read the topics to their ends
    requests = [
        record
        for _, _, record in records_in(kafka, MT_REQUEST)
        if record.request_id == request_id  # type: ignore[attr-defined]
    ]
    assert len(requests) == 1


def test_an_end_loses_nothing_that_was_answered(kafka: str, tmp_path: Path) -> None:
    with ingest_process(tmp_path, {"kafka": kafka}) as ingest:
        ingest.wait_until("/readyz", 200)
        handsets = [new_handset() for _ in range(200)]
        with ThreadPoolExecutor(8) as pool:
            asked = [
                pool.submit(ingest.status_of, f"/mo/http?from={handset}&to=1")
                for handset in handsets
            ]
            asked[40].result()
            ingest.process.send_signal(signal.SIGTERM)
        answered = [
            handset
            for handset, future in zip(handsets, asked, strict=True)
            if future.exception() is None and future.result() == 200
        ]
        assert ingest.process.wait(20) == 0
    keys = {key for _, key, _ in records_in(kafka, MO_RAW)}
    assert len(answered) > 40
    assert {handset.encode() for handset in answered} <= keys
    assert (tmp_path / "ingest.out").read_bytes() == b""
    assert "4477" not in ingest.log.read_text()


def test_https_is_served_with_a_certificate(kafka: str, tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    openssl = shutil.which("openssl") or pytest.skip("there is no openssl: apt install openssl")
    subprocess.run(
        [openssl, *words.split(), *names, "-out", str(cert), "-keyout", str(key)],
        check=True,
        capture_output=True,
    )
    trusting = ssl.create_default_context(cafile=str(cert))
    settings = {"kafka": kafka, "tls_cert": cert, "tls_key": key}
    with ingest_process(tmp_path, settings, context=trusting) as ingest:
        ingest.wait_until("/readyz", 200)
        assert ingest.status_of(f"/mo/http?from={new_handset()}&to=1") == 200
        assert ingest.status_of("/mo/http", body=b"to=1" + b"x" * 70_000) == 413
        ingest.context = None
        with pytest.raises(ConnectionError):
            ingest.call("/healthz")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        pytest.param({"http_host": "0.0.0.0"}, "TWOWAY_TOKENS", id="open to all"),  # noqa: S104
        pytest.param({"tls_key": "key.pem"}, "tls_cert", id="key without certificate"),
    ],
)
def test_unsafe_settings_end_the_process_with_2_and_one_line(
    settings: dict[str, str], words: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        env=environment_without_settings(settings | {"home": str(tmp_path), "http_port": "0"}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, "")
    [line] = done.stderr.splitlines()
    assert line.startswith("twoway ingest: ")
    assert words in line


async def _limit_records(bootstrap: str, *, octets: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    config = {"max.message.bytes": str(octets), "message.timestamp.type": "LogAppendTime"}
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, MO_RAW, config)])
    await admin.close()


def test_a_broker_that_comes_late_refuses_dies_hangs_and_comes_back(
    kafka_factory: Callable[[], LocalKafka], tmp_path: Path
) -> None:
    broker = kafka_factory()
    answers: list[tuple[str, int]] = []

    def deliver(text: str = "") -> int:
        handset = new_handset()
        target = f"/mo/http?from={handset}&to=1&text={text}"
        status = ingest.status_of(target)
        answers.append((handset, status))
        return status

    def deliver_until(status: int, *, text: str = "") -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while deliver(text) != status:
            assert time.monotonic() < deadline, ingest.log.read_text()

    with ingest_process(tmp_path, {"kafka": broker.bootstrap}) as ingest:
        ingest.wait_until("/healthz", 200)
        assert (ingest.status_of("/readyz"), deliver()) == (503, 503)
        broker.start()
        create_topics(broker.bootstrap, Settings(partitions=4))
        ingest.wait_until("/readyz", 200)
        deliver_until(200)

        asyncio.run(_limit_records(broker.bootstrap, octets=2_000))
        deliver_until(503, text="x" * 5_000)  # the broker takes the limit over in its own time
        deliver_until(200)  # by a new producer: the old one's sequence has a gap

        broker.kill()
        assert deliver() == 503
        assert ingest.status_of("/mo/http?to=1") == 503
        ingest.wait_until("/readyz", 503)
        broker.start()
        ingest.wait_until("/readyz", 200)
        deliver_until(200)

        assert broker.process is not None
        broker.process.send_signal(signal.SIGSTOP)
        os.waitpid(broker.process.pid, os.WUNTRACED)  # until all its threads have stopped
        assert deliver() == 503
        ingest.wait_until("/readyz", 503)
        broker.process.send_signal(signal.SIGCONT)
        ingest.wait_until("/readyz", 200)
        deliver_until(200)
        keys = [key for _, key, _ in records_in(broker.bootstrap, MO_RAW)]
    taken = {handset.encode() for handset, status in answers if status == 200}
    assert len(taken) >= 4
    assert taken <= set(keys)
    assert len(keys) == len(set(keys))  # the sequence numbers let no retry in twice


def test_the_time_kafka_is_given_leaves_time_to_answer_within_three_seconds() -> None:
    assert Settings().acknowledge_timeout_ms < 3_000


def test_no_broker_at_all_ends_in_order(tmp_path: Path) -> None:
    with ingest_process(tmp_path, {"kafka": f"127.0.0.1:{free_port()}"}) as ingest:
        ingest.wait_until("/healthz", 200)
        assert ingest.status_of(f"/mo/http?from={new_handset()}&to=1") == 503
        ingest.process.terminate()
        assert ingest.process.wait(20) == 0
    log = ingest.log.read_text()
    assert log.count("Kafka does not answer") == 1
    assert "Traceback" not in log
