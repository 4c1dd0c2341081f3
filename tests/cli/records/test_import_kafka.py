"""`import` of a large log, and of a log during which Kafka goes away."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.avro.single_object import decode
from pipeline.cli.ask.broker import open_consumer
from pipeline.cli.ask.reading import newest_records
from pipeline.cli.records import import_log
from pipeline.cli.records.import_log import IN_FLIGHT, READ_OCTETS, Taking
from pipeline.kafka import topics
from pipeline.records import MoRaw
from pipeline.wire.mo_log import render
from tests.support.mo import NOON, callback
from tests.support.running import environment_without_settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.cli.local.kafka import LocalKafka

    Run = Callable[..., tuple[int, str, str]]


PATIENCE_SECONDS = 60.0


def line(number: int) -> bytes:
    return render(callback(f"message {number} " + "x" * 100, mo_msg_id=f"id{number}"))


class Sent:
    """An acknowledgement that is there at once, and that counts how many were waited for."""

    waiting = 0
    most = 0

    def __init__(self, *_: Any, **__: Any) -> None:
        Sent.waiting += 1
        Sent.most = max(Sent.most, Sent.waiting)

    def get(self, timeout: float) -> None:
        Sent.waiting -= 1


def test_a_large_log_takes_little_memory_and_says_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(import_log, "SAID_EVERY_OCTETS", 1024 * 1024)
    block = b"".join(line(number) + b"\n" for number in range(1_400))
    assert len(block) < READ_OCTETS
    blocks = 20
    taking = Taking(Sent, now=NOON, position=0)
    tracemalloc.start()
    rest = taking.send_lines(block for _ in range(blocks))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert rest == b""
    assert taking.counts == {topics.MO_RAW: blocks * 1_400}
    assert taking.acknowledged == blocks * len(block)
    assert Sent.waiting == 0
    assert Sent.most <= IN_FLIGHT + 1
    assert peak < blocks * len(block) / 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) > 2
    assert all(re.fullmatch(r"\d+ lines, \d+ octets", each) for each in said)


BLOCK_OCTETS = 64 * 1024
IMPATIENT = f"""
from pipeline.cli.ask import broker
from pipeline.cli.main import main
from pipeline.cli.records import import_log
from tests.support.replacing import replace_in
replace_in(broker, ACKNOWLEDGE_SECONDS=3, ANSWER_MS=1_000)
replace_in(import_log, READ_OCTETS={BLOCK_OCTETS})
main()
"""


@pytest.mark.broker
def test_what_kafka_did_not_take_is_named_and_taken_by_the_next_run(
    empty_kafka: Callable[[], LocalKafka], run_on: Run, tmp_path: Path
) -> None:
    lines = [line(number) for number in range(3_000)]
    octets = b"".join(each + b"\r\n" for each in lines)
    kafka = empty_kafka()

    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(
        [sys.executable, "-c", IMPATIENT, "import", str(pipe)],
        env=environment_without_settings({"kafka": kafka.bootstrap, "home": str(tmp_path)}),
        stderr=subprocess.PIPE,
        text=True,
    ) as importing:
        with pipe.open("wb") as writing:
            half = octets[: len(octets) // 2]
            writing.write(half)
            writing.flush()
            deadline = time.monotonic() + PATIENCE_SECONDS
            # two blocks: a position is told behind a block, once Kafka has every line of it
            first = half[: 2 * BLOCK_OCTETS].count(b"\n")
            while len(taken(kafka.bootstrap)) < first:
                assert time.monotonic() < deadline
            kafka.kill()
            writing.write(octets[len(half) :])
        _, said = importing.communicate(timeout=PATIENCE_SECONDS)
    assert importing.returncode == 1
    told = re.search(r"Kafka has all lines up to octet (\d+) of .*--from-octet \1 skips", said)
    assert told, said
    position = int(told[1])
    assert 0 < position < len(octets)

    kafka.start()
    assert set(lines[: octets[:position].count(b"\n")]) <= taken(kafka.bootstrap)
    log = tmp_path / "mo.log"
    log.write_bytes(octets)
    code, _, err = run_on(kafka.bootstrap, "import", str(log), "--from-octet", told[1])
    assert (code, err) == (0, "")
    assert taken(kafka.bootstrap) == set(lines)


def taken(bootstrap: str) -> set[bytes]:
    """The lines in mo-raw."""
    with open_consumer(bootstrap) as consumer:
        found = newest_records(consumer, topics.MO_RAW, window=100_000)
    raws = [decode(record.value) for record in found]
    return {raw.octets for raw in raws if isinstance(raw, MoRaw)}
