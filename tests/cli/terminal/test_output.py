"""The forms in which values are printed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from pipeline.avro.single_object import encode
from pipeline.cli.ask.reading import json_from_record
from pipeline.records import Clock, DeadLetter, Header
from pipeline.records.plain import plain, text_from_time

SIX = datetime(2026, 11, 22, 18, tzinfo=UTC)

TIMES = [
    (SIX, "2026-11-22T18:00:00Z"),
    (SIX.replace(microsecond=120_000), "2026-11-22T18:00:00.120000Z"),
    (datetime(2026, 11, 22, 20, tzinfo=timezone(timedelta(hours=2))), "2026-11-22T18:00:00Z"),
]


@pytest.mark.parametrize(("time", "text"), TIMES, ids=[text for _, text in TIMES])
def test_a_time_is_written_in_utc(time: datetime, text: str) -> None:
    assert text_from_time(time) == text


def test_a_record_is_written_with_octets_in_hex_however_deep() -> None:
    letter = DeadLetter(
        dead_letter_id="0" * 32,
        topic="mo-raw",
        partition=1,
        offset=2,
        key=b"44",
        headers=[Header(name="query", value=b"\xff\x00")],
        octets=b"",
        source="http",
        stage="normalise",
        reason="failed",
        words="",
        at=SIX,
    )
    written = plain(letter)
    assert written["key"] == "3434"
    assert written["octets"] == ""
    assert written["headers"] == [{"name": "query", "value": "ff00"}]
    assert written["at"] == "2026-11-22T18:00:00Z"


@dataclass(frozen=True)
class Consumed:
    """The parts of kafka-python's record that are used."""

    key: bytes | None
    value: bytes | None
    topic: str = "clock"
    partition: int = 3
    offset: int = 9


TICK = Clock(time=SIX, origin="worker")
WHERE = {"topic": "clock", "partition": 3, "offset": 9}
LINES: list[tuple[str, Consumed, dict[str, Any]]] = [
    (
        "a record without a key",
        Consumed(None, encode(TICK)),
        {"key": None, "record": "Clock", "value": TICK},
    ),
    (
        "a key of digits",
        Consumed(b"447700900001", encode(TICK)),
        {"key": "447700900001", "record": "Clock", "value": TICK},
    ),
    (
        "a key that is no text",
        Consumed(b"\xff\xfe", encode(TICK)),
        {"key_octets": b"\xff\xfe", "record": "Clock", "value": TICK},
    ),
    (
        "a key with control characters",
        Consumed(b"\x00\x01", encode(TICK)),
        {"key_octets": b"\x00\x01", "record": "Clock", "value": TICK},
    ),
    ("a tombstone", Consumed(b"44", None), {"key": "44", "value": None}),
    (
        "octets that are no record",
        Consumed(None, b"hello"),
        {"key": None, "unreadable": "not Avro single-object encoding", "octets": b"hello"},
    ),
    (
        "no octets at all",
        Consumed(None, b""),
        {"key": None, "unreadable": "not Avro single-object encoding", "octets": b""},
    ),
]


@pytest.mark.parametrize(
    ("record", "line"), [row[1:] for row in LINES], ids=[row[0] for row in LINES]
)
def test_a_consumed_record_is_one_line(record: Consumed, line: dict[str, Any]) -> None:
    assert json_from_record(record) == WHERE | line


def test_a_record_cut_short_is_shown_and_not_fatal() -> None:
    octets = encode(TICK)[:-1]
    line = json_from_record(Consumed(None, octets))
    assert line["octets"] == octets
    assert "unreadable" in line
