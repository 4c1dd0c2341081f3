"""Lines of `tail`: what each record says, what is asked for, and what a hostile text does."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.avro.single_object import encode
from pipeline.cli.records.tail_lines import (
    TOPIC_OF,
    TailFilter,
    line_from_record,
    masked_middle,
)
from pipeline.cli.terminal.saying import say
from pipeline.kafka.topics import topics
from pipeline.records import MoMessage
from tests.store.samples import SAMPLES

ANY = TailFilter()


def kafka_record(value: Any, topic: str = "mo-message") -> Any:
    octets = value if isinstance(value, bytes) or value is None else encode(value)
    return SimpleNamespace(topic=topic, partition=0, offset=7, key=b"x", value=octets)


def sample(topic: str, **fields: Any) -> Any:
    name = topics()[topic].record.title().replace("_", "")
    found = next(each for each in SAMPLES if type(each).__name__ == name)
    return msgspec.structs.replace(found, **fields)


@pytest.mark.parametrize(("kind", "topic"), TOPIC_OF.items())
def test_each_kind_is_one_line_that_names_it(kind: str, topic: str) -> None:
    line = line_from_record(kafka_record(sample(topic), topic), ANY, is_full=True)
    assert line is not None
    assert line.split()[1] == kind
    assert "\n" not in line


def test_a_message_names_handset_number_and_text_and_masks_the_middle() -> None:
    said = sample("mo-message", handset="447700900001", number="88801", text="Hello\nthere")
    full = line_from_record(kafka_record(said), ANY, is_full=True)
    assert full is not None
    assert "447700900001 -> 88801" in full
    assert full.endswith('"Hello there"')
    masked = line_from_record(kafka_record(said), ANY, is_full=False)
    assert masked is not None
    assert "44770*****01 -> 88801" in masked
    assert "447700900001" not in masked


@pytest.mark.parametrize(
    ("wanted", "is_shown"),
    [
        ({}, True),
        ({"handset": "+447700900001"}, True),
        ({"handset": "447700900002"}, False),
        ({"number": "88801"}, True),
        ({"number": "+88801"}, True),
        ({"number": "8880"}, False),
        ({"text": "STRASSE"}, True),
        ({"text": "where"}, False),
        ({"number": "88801", "text": "where"}, False),
    ],
)
def test_filters_combine(wanted: dict[str, str], *, is_shown: bool) -> None:
    said = sample("mo-message", handset="447700900001", number="88801", text="Meine Straße")
    line = line_from_record(kafka_record(said), TailFilter(**wanted), is_full=False)
    assert (line is not None) == is_shown


@pytest.mark.parametrize("octets", [b"", b"\x00", b"\xc3\x01junk", b"{}"])
def test_what_is_no_record_of_ours_is_said_and_ends_nothing(octets: bytes) -> None:
    line = line_from_record(kafka_record(octets), ANY, is_full=False)
    assert line is not None
    assert line.startswith("mo-message/0@7 cannot be read")
    wanted = TailFilter(text="x")
    assert line_from_record(kafka_record(octets), wanted, is_full=False) is None
    assert line_from_record(kafka_record(None), ANY, is_full=False) is None


@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    number=st.text("0123456789+", max_size=20),
)
def test_a_hostile_text_is_one_line_and_does_not_act(text: str, number: str) -> None:
    message = sample("mo-message", text=text, number=number)
    assert isinstance(message, MoMessage)
    line = line_from_record(kafka_record(message), ANY, is_full=True)
    assert line is not None
    assert len(line.splitlines()) == 1


def test_a_long_text_is_cut_and_what_acts_on_a_terminal_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = "\x1b[2J\u202egnp" + "x" * 20_000
    line = line_from_record(kafka_record(sample("mo-message", text=text)), ANY, is_full=True)
    assert line is not None
    say(line)
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\\u001b[2J\\u202egnp" in shown
    assert len(shown) < 800


@given(st.text("0123456789", max_size=15))
def test_a_mask_hides_at_least_the_middle(handset: str) -> None:
    masked = masked_middle(handset)
    assert len(masked) == len(handset)
    assert sum(each.isdigit() for each in masked) <= 7
    if len(handset) <= 7:
        assert set(masked) <= {"*"}
