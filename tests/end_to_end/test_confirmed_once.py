"""Each stop is confirmed exactly once, though the worker is killed while confirmations are due."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from kafka import TopicPartition

from pipeline.avro.single_object import decode
from pipeline.cli.ask.broker import Outgoing, open_consumer, publish
from pipeline.directory.directory import numbers_from_toml
from pipeline.kafka import topics
from pipeline.kafka.admin import create_topics
from pipeline.records import ConsentRule, MoRaw, Purpose, Source
from pipeline.settings import Settings
from pipeline.sms.msisdn import key_from_handset
from pipeline.wire import http_form
from pipeline.wire.callback import MoCallback
from tests.end_to_end.outside import GATEWAY_ZONE
from tests.support.looking import looks
from tests.support.rented_numbers import ANN
from tests.support.running import environment_without_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pipeline.cli.local.kafka import LocalKafka

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]

PARTITIONS = 4
STOPS = 1_500
SECONDS = 60
LOOK_SECONDS = 0.1  # the first kill comes in the midst of the confirmations
#: A retry that came within the gateway's 254 minutes, and is due by now: G7.1.1, G8.3.1.
SENT_AGO, RECEIVED_AGO = timedelta(hours=5, minutes=50), timedelta(hours=2)


def stops(now: datetime) -> Iterator[Outgoing]:
    """STOPs, each of another handset, whose default text has been due for some minutes."""
    for number in range(STOPS):
        callback = MoCallback(
            handset=f"4479{number:08d}",
            number=ANN,
            mo_msg_id=f"{number:032x}",
            timestamp=f"{(now - SENT_AGO).astimezone(GATEWAY_ZONE):%Y-%m-%d %H:%M:%S}",
            charset="ISO-8859-1",
            octets=b"STOP",
        )
        raw = MoRaw(
            source=Source.HTTP,
            received_at=now - RECEIVED_AGO,
            method="GET",
            content_type="",
            query=http_form.render(callback),
            octets=b"",
        )
        yield Outgoing(topic=topics.MO_RAW, record=raw, key=key_from_handset(callback.handset))


@contextmanager
def worker(bootstrap: str, home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker, killed at the end."""
    settings = {"kafka": bootstrap, "partitions": str(PARTITIONS), "home": str(home)}
    with (home / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.cli.main", "worker"],
            env=environment_without_settings(settings),
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def confirmations(bootstrap: str) -> tuple[Counter[str], Counter[str]]:
    """Committed confirmations, and changes with the rule `confirmed`, by handset."""
    sent: Counter[str] = Counter()
    confirmed: Counter[str] = Counter()
    with open_consumer(bootstrap) as consumer:
        partitions = [
            TopicPartition(name, partition)
            for name in (topics.MT_COMMAND, topics.CONSENT_CHANGE)
            for partition in range(PARTITIONS)
        ]
        ends = consumer.end_offsets(partitions)
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        while any(consumer.position(tp) < ends[tp] for tp in partitions):
            for tp, records in consumer.poll(timeout_ms=200).items():
                for record in map(decode, (record.value for record in records)):
                    if tp.topic == topics.MT_COMMAND:
                        assert record.purpose == Purpose.CONFIRMATION
                        sent[record.handset] += 1
                    elif record.rule == ConsentRule.CONFIRMED:
                        confirmed[record.handset] += 1
    return sent, confirmed


def until(bootstrap: str, count: int) -> None:
    """Wait until this many handsets have got a confirmation."""
    for _ in looks(seconds=SECONDS, longest=LOOK_SECONDS):
        if (found := len(confirmations(bootstrap)[0])) >= count:
            return
    raise AssertionError(f"{found} of {count}")


def test_a_stop_is_confirmed_once_across_a_kill(
    kafka_factory: Callable[[], LocalKafka], tmp_path: Path
) -> None:
    broker = kafka_factory()
    broker.start()
    kafka = broker.bootstrap
    create_topics(kafka, Settings(partitions=PARTITIONS))
    now = datetime.now(UTC)
    toml = f'[[number]]\nnumber = "{ANN}"\nkind = "vmn"\n'
    numbers = numbers_from_toml(toml, origin="test", loaded_at=now)
    publish(
        kafka,
        [Outgoing(topic=topics.NUMBERS, record=numbers, partition=p) for p in range(PARTITIONS)],
    )
    publish(kafka, stops(now))
    for wanted in (1, STOPS):  # the first is killed when some are out
        with worker(kafka, tmp_path):
            until(kafka, wanted)
    sent, confirmed = confirmations(kafka)
    assert (len(sent), set(sent.values())) == (STOPS, {1})
    assert (len(confirmed), set(confirmed.values())) == (STOPS, {1})
