"""The codec against fastavro, a second implementation, and on octets that are no record."""

from __future__ import annotations

import io
import json
import tracemalloc
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import fastavro
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.avro import single_object
from pipeline.avro.program import UnknownSchema
from pipeline.avro.single_object import HEADER_LENGTH, MARKER, Unreadable, decode, encode, header_of
from pipeline.records import Clock, Record
from tests.contract.schema_files import KINDS, TIME, any_record, newest, octets_from_int, records_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 22, 15, 1, 2, 345678, tzinfo=UTC)
in_each_form = pytest.mark.usefixtures("form")


def fastavro_body(record: Record) -> bytes:
    """The body as fastavro writes it."""
    body = io.BytesIO()
    value = msgspec.to_builtins(record, builtin_types=(bytes, datetime))
    fastavro.schemaless_writer(body, _parsed(type(record)), value)
    return body.getvalue()


def fastavro_record(kind: type[Record], octets: bytes) -> Record:
    """The record as fastavro reads it from a body."""
    read = fastavro.schemaless_reader(io.BytesIO(octets), _parsed(kind), None)
    return msgspec.convert(read, kind)


@cache
def _parsed(kind: type[Record]) -> Any:
    return fastavro.parse_schema(newest(kind), named_schemas={})


@in_each_form
@given(record=any_record())
def test_fastavro_writes_the_same_octets_and_reads_the_same_record(record: Record) -> None:
    octets = encode(record)
    assert octets == header_of(newest(type(record))) + fastavro_body(record)
    assert decode(octets) == record
    assert fastavro_record(type(record), octets[HEADER_LENGTH:]) == record


@in_each_form
@given(octets=st.binary())
def test_arbitrary_octets_are_unreadable(octets: bytes) -> None:
    with pytest.raises(Unreadable):
        decode(octets)


@in_each_form
@given(kind=st.sampled_from(KINDS), body=st.binary())
def test_arbitrary_bodies_are_unreadable_or_what_fastavro_reads(
    kind: type[Record], body: bytes
) -> None:
    try:
        record = decode(header_of(newest(kind)) + body)
    except Unreadable:
        return
    assert fastavro_record(kind, body) == record


@in_each_form
@given(record=any_record(), data=st.data())
def test_a_changed_octet_is_unreadable_or_what_fastavro_reads(
    record: Record, data: st.DataObject
) -> None:
    octets = bytearray(encode(record))
    at = data.draw(st.integers(HEADER_LENGTH, len(octets) - 1))
    octets[at] ^= data.draw(st.integers(1, 255))
    try:
        changed = decode(bytes(octets))
    except Unreadable:
        return
    assert fastavro_record(type(record), bytes(octets[HEADER_LENGTH:])) == changed


@in_each_form
@given(record=any_record(), data=st.data())
def test_a_cut_or_extended_record_is_unreadable(record: Record, data: st.DataObject) -> None:
    octets = encode(record)
    cut = data.draw(st.integers(0, len(octets) - 1))
    for broken in (octets[:cut], octets + b"\0", octets + octets):
        with pytest.raises(Unreadable):
            decode(broken)


@in_each_form
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@settings(max_examples=10)
@given(data=st.data())
def test_every_cut_of_a_record_is_unreadable(kind: type[Record], data: st.DataObject) -> None:
    octets = encode(data.draw(records_of(kind)))
    for cut in range(min(len(octets), 200)):
        with pytest.raises(Unreadable):
            decode(octets[:cut])


TICK = header_of(newest(Clock)) + octets_from_int((NOW - EPOCH) // timedelta(microseconds=1))
LONGEST = octets_from_int((1 << 63) - 1)


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        pytest.param(b"", "not Avro single-object encoding", id="empty"),
        pytest.param(MARKER + bytes(8), "no schema has the fingerprint 00000000", id="fingerprint"),
        pytest.param(b"\xc3\x02" + TICK[2:], "not Avro single-object", id="marker of version 2"),
        pytest.param(TICK + octets_from_int(1 << 40) + b"x", "ends too soon", id="length 2^40"),
        pytest.param(TICK + LONGEST + b"x", "ends too soon", id="length 2^63 - 1"),
        pytest.param(TICK + octets_from_int(-1) + b"x", "a negative length", id="length -1"),
        pytest.param(TICK + octets_from_int(-(1 << 63)), "a negative length", id="length -2^63"),
        pytest.param(TICK + b"\xff" * 9 + b"\x7f", "more than 64 bits", id="length of 70 bits"),
        pytest.param(TICK + b"\x80" * 1_000_000, "more than ten octets", id="endless length"),
        pytest.param(TICK + b"\x04\xff\xfe", "'utf-8' codec", id="not UTF-8"),
        pytest.param(TICK + b"\x06\xed\xa0\x80", "'utf-8' codec", id="lone surrogate"),
        pytest.param(TICK[:HEADER_LENGTH] + LONGEST + b"\0", "is not a Clock", id="year 294247"),
    ],
)
def test_hostile_octets_are_unreadable(form: str, octets: bytes, words: str) -> None:
    """The words of the error are not compared: fastavro's say less."""
    with pytest.raises(Unreadable, match=words if form == "native" else "the body|Avro|fingerp"):
        decode(octets)


@in_each_form
def test_hostile_lengths_and_counts_allocate_nothing() -> None:
    read_strings = single_object.make_reader({"type": "array", "items": "string"})
    huge = octets_from_int(1 << 40)
    tracemalloc.start()
    try:
        for body in (huge + b"x", LONGEST + b"\0" * 100, octets_from_int(-(1 << 62)) + huge):
            with pytest.raises((IndexError, ValueError)):
                read_strings(body, 0)
        with pytest.raises(Unreadable):
            decode(TICK + huge)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@in_each_form
def test_an_array_in_several_blocks_with_their_sizes_is_read() -> None:
    """Other writers may use blocks ("Arrays"); fastavro reads them too."""
    schema = {"type": "array", "items": "string"}
    body = b"\x01\x04\x02a" + b"\x04\x02b\x02c" + b"\0"
    assert single_object.make_reader(schema)(body, 0) == (["a", "b", "c"], len(body))
    assert fastavro.schemaless_reader(io.BytesIO(body), schema, None) == ["a", "b", "c"]


@in_each_form
def test_a_count_of_none_in_two_octets_ends_an_array_too() -> None:
    schema = {"type": "array", "items": "string"}
    body = b"\x02\x02a" + b"\x80\x00" + b"\x02\x02b"
    assert single_object.make_reader(schema)(body, 0) == (["a"], len(body) - 3)
    assert fastavro.schemaless_reader(io.BytesIO(body), schema, None) == ["a"]


@in_each_form
@pytest.mark.parametrize(
    ("value", "octets"),
    [(0, "00"), (-1, "01"), (1, "02"), (-2, "03"), (2, "04"), (-64, "7f"), (64, "8001")],
)
def test_the_specification_s_examples_of_integers(value: int, octets: str) -> None:
    """The table under "Primitive Types" of "Binary Encoding"."""
    assert single_object.make_writer("long")(value).hex() == octets
    assert single_object.make_reader("long")(bytes.fromhex(octets), 0) == (value, len(octets) // 2)


@in_each_form
@pytest.mark.parametrize("value", [1 << 63, -(1 << 63) - 1], ids=["2^63", "-2^63 - 1"])
def test_an_integer_beyond_64_bits_is_not_written(value: int) -> None:
    with pytest.raises((OverflowError, ValueError)):
        single_object.make_writer("long")(value)


@in_each_form
@given(micros=st.integers(1 << 40, 1 << 57))
def test_times_are_written_as_longs_are(micros: int) -> None:
    time = EPOCH + timedelta(microseconds=micros)
    octets = single_object.make_writer(TIME)(time)
    assert octets == octets_from_int(micros)
    assert single_object.make_reader(TIME)(octets, 0) == (time, len(octets))
    assert single_object.make_reader(TIME)(octets + b"\xff" * 8, 0) == (time, len(octets))


@in_each_form
def test_a_time_of_no_zone_is_not_written() -> None:
    with pytest.raises(TypeError):
        encode(Clock(time=NOW.replace(tzinfo=None), origin="worker"))


@in_each_form
def test_a_time_of_another_zone_is_the_same_instant() -> None:
    south = datetime.fromisoformat("2026-11-22T17:01:02.345678+02:00")
    assert encode(Clock(time=south, origin="worker")) == encode(Clock(time=NOW, origin="worker"))


@in_each_form
def test_an_hour_that_comes_twice_is_written_as_two_instants() -> None:
    """Two times of one zone compare as equal in both of the hours."""
    first = datetime(2026, 11, 1, 1, 30, tzinfo=ZoneInfo("America/New_York"))
    second = first.replace(fold=1)
    assert first == second
    for time in (first, second):
        assert encode(Clock(time=time, origin="")) == encode(
            Clock(time=time.astimezone(UTC), origin="")
        )


@in_each_form
@pytest.mark.parametrize(
    "schema",
    [
        "double",
        ["string", "null"],
        ["null", "string", "int"],
        {"type": "map", "values": "string"},
        {"type": "long", "logicalType": "timestamp-millis"},
        {"type": "record", "name": "R", "fields": []},  # an array of them could go on for ever
        {"type": "record", "name": "R", "fields": [{"name": "a b", "type": "int"}]},
        {"type": "record", "name": "R", "fields": [{"name": "a=print(1)", "type": "int"}]},
    ],
    ids=json.dumps,
)
def test_a_schema_beyond_what_we_use_is_refused(schema: Any) -> None:
    for make in (single_object.make_writer, single_object.make_reader):
        with pytest.raises(UnknownSchema):
            make(schema)
