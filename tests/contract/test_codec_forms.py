"""The codec in C against fastavro: the same for our records, and never less strict."""

from __future__ import annotations

import gc
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pipeline import compiled, records
from pipeline.avro import single_object
from pipeline.avro.codec import RecordReader, RecordWriter, make_reader, make_writer
from pipeline.avro.program import program
from pipeline.records import Clock, Flag, MtRequest
from tests.bench.traffic import directory
from tests.contract.schema_files import TIME, all_versions, newest, octets_from_int, values

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(
    compiled.form() == "python", reason="the codec in C is not compiled"
)

LONGEST = (1 << 63) - 1
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
OTHERS = [
    {"type": "array", "items": "boolean"},
    {"type": "array", "items": TIME},
    {"type": "array", "items": {"type": "array", "items": ["null", "string"]}},
    ["null", {"type": "array", "items": ["null", "bytes"]}],
    ["null", "boolean"],
]
SCHEMAS = [*(version.schema for version in all_versions()), *OTHERS]
numbers = st.sampled_from(range(len(SCHEMAS)))
more_examples = settings(max_examples=2 * settings.default.max_examples)


def words_of(value: Any) -> str:
    """The name of a test for a value: equal in every process, so without an address."""
    words = str(value)
    return type(value).__name__ if " at 0x" in words else words


def native_writer(schema: Any) -> RecordWriter:
    """A writer in C."""
    return single_object.NATIVE.make_writer(program(schema, vars(records)), b"")


def native_reader(schema: Any) -> RecordReader:
    """A reader in C."""
    return single_object.NATIVE.make_reader(program(schema, vars(records)))


@cache
def made(make: Callable[..., Any], number: int) -> Any:
    """The writer or reader of one of `SCHEMAS`, made once: fastavro takes 1 ms to look at one."""
    return make(SCHEMAS[number], vars(records))


def read(reader: RecordReader, octets: bytes) -> tuple[Any, int] | type[Exception]:
    """Value and end, or the kind of error; an end beyond the octets counts as an IndexError."""
    try:
        value, end = reader(octets, 0)
    except (ValueError, IndexError, OverflowError) as error:
        return type(error)
    return (value, end) if end <= len(octets) else IndexError


@st.composite
def broken(draw: st.DrawFn, octets: bytes) -> bytes:
    """Octets with some removed and others inserted, or cut."""
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(octets)))
        hostile = st.integers(-LONGEST - 1, LONGEST).map(octets_from_int)
        put = draw(st.binary(max_size=3) | hostile | st.just(b"\xff" * 10))
        octets = octets[:at] + put + octets[at + draw(st.integers(0, 4)) :]
    return octets[: draw(st.none() | st.integers(0, len(octets)))]


@more_examples
@given(number=numbers, data=st.data())
def test_any_octets_are_read_as_the_same_or_refused_alike(number: int, data: st.DataObject) -> None:
    write = made(make_writer, number)
    octets = write(data.draw(values(SCHEMAS[number])))
    octets = data.draw(broken(octets) | st.binary())
    expected = read(made(make_reader, number), octets)
    found = read(native_reader(SCHEMAS[number]), octets)
    if isinstance(found, tuple):
        assert found == expected
    elif isinstance(expected, tuple):
        # fastavro takes booleans, unions and integers that no writer makes; C refuses them.
        value, end = expected
        assert write(value) != octets[:end]


@given(number=numbers, data=st.data())
def test_values_are_written_as_the_same_octets_and_read_again(
    number: int, data: st.DataObject
) -> None:
    schema = SCHEMAS[number]
    value = data.draw(values(schema))
    octets = native_writer(schema)(value)
    assert octets == made(make_writer, number)(value)
    assert native_reader(schema)(b"before" + octets, 6) == (value, 6 + len(octets))


ZONES = [timezone(timedelta(hours=14)), timezone(-timedelta(hours=23, microseconds=1))]
ZONES += [ZoneInfo("Africa/Johannesburg"), ZoneInfo("America/New_York"), UTC]


class Instant(datetime):
    """A class of times that is not ours."""


@given(time=st.datetimes(timezones=st.sampled_from(ZONES)))
def test_times_of_any_zone_and_year_are_written_alike(time: datetime) -> None:
    mine = Instant.combine(time, time.time(), time.tzinfo)
    assert native_writer(TIME)(mine) == native_writer(TIME)(time)
    for each in (time, time.replace(fold=1)):
        assert native_writer(TIME)(each) == make_writer(TIME, {})(each)


@given(micros=st.integers(-LONGEST - 1, LONGEST) | st.integers(-(1 << 56), 1 << 58))
def test_micros_are_read_as_the_same_time_or_refused_alike(micros: int) -> None:
    octets = octets_from_int(micros)
    assert read(native_reader(TIME), octets) == read(make_reader(TIME, {}), octets)


@pytest.mark.parametrize(
    ("time", "beyond"), [("0001-01-01T00:00:00Z", -1), ("9999-12-31T23:59:59.999999Z", 1)]
)
def test_the_first_and_the_last_time_are_read_and_none_beyond(time: str, beyond: int) -> None:
    end = datetime.fromisoformat(time)
    octets = native_writer(TIME)(end)
    assert native_reader(TIME)(octets, 0) == (end, len(octets))
    micros, _ = native_reader("long")(octets, 0)
    with pytest.raises(OverflowError):
        native_reader(TIME)(octets_from_int(micros + beyond), 0)


@pytest.mark.parametrize(
    ("schema", "value", "plain"),
    [
        ("string", Flag.REVIEW, "review"),
        ("bytes", bytearray(b"ab"), b"ab"),
        ("bytes", memoryview(b"abcd")[1:3], b"bc"),
        ("int", True, 1),
        ("boolean", [0], True),
        ("boolean", "", False),
        ({"type": "array", "items": "int"}, (1, 2), [1, 2]),
        ({"type": "array", "items": "int"}, None, []),
    ],
    ids=words_of,
)
def test_a_value_of_a_like_kind_is_written_as_the_plain_one(
    schema: Any, value: Any, plain: Any
) -> None:
    assert native_writer(schema)(value) == make_writer(schema, vars(records))(plain)


@pytest.mark.parametrize(
    ("schema", "value", "error"),
    [
        ("string", "\ud800", UnicodeEncodeError),
        ("string", b"ab", (TypeError, AttributeError)),
        ("string", None, (TypeError, AttributeError)),
        ("bytes", "ab", TypeError),
        ("int", 1.5, TypeError),
        ("long", 1 << 63, OverflowError),
        ("long", -(1 << 63) - 1, OverflowError),
        (TIME, datetime(2026, 11, 22), TypeError),  # noqa: DTZ001 - what is refused
        (TIME, None, (TypeError, AttributeError)),
        (TIME, datetime(2026, 11, 22, tzinfo=UTC).date(), (TypeError, AttributeError)),
        ({"type": "array", "items": "string"}, 5, TypeError),
        ({"type": "array", "items": "string"}, ["a", 5], (TypeError, AttributeError)),
        (["null", "int"], "", TypeError),
        (newest(Clock), object(), AttributeError),
        (
            newest(Clock),
            MtRequest(request_id="", to="", text="", requested_at=NOON),
            AttributeError,
        ),
    ],
    ids=words_of,
)
def test_what_is_no_value_of_the_schema_is_not_written(schema: Any, value: Any, error: Any) -> None:
    with pytest.raises(error):
        native_writer(schema)(value)
    if value == 1.5:
        return  # fastavro writes 1
    with pytest.raises((AttributeError, OverflowError, TypeError, ValueError)):
        make_writer(schema, vars(records))(value)


def test_a_record_of_a_class_made_of_ours_is_written_by_its_attributes() -> None:
    class Later(Clock, frozen=True, kw_only=True):
        note: str = ""

    time = datetime(2026, 11, 22, tzinfo=UTC)
    later, clock = Later(time=time, origin="é", note="x"), Clock(time=time, origin="é")
    assert native_writer(newest(Clock))(later) == native_writer(newest(Clock))(clock)


@pytest.mark.parametrize(
    "wrong",
    [
        ("string",),
        ("text", None, ()),
        ("string", None, (("", ("int", None, ())),)),
        ("array", None, ()),
        ("array", None, (("", "int"),)),
        ("record", Clock, ()),
        ("record", None, (("time", ("time", None, ())),)),
    ],
    ids=words_of,
)
def test_what_is_no_program_makes_no_reader(wrong: Any) -> None:
    with pytest.raises((TypeError, ValueError, SystemError)):
        single_object.NATIVE.make_reader(wrong)


@pytest.mark.parametrize("args", [(), (b"",), ("", 0), (b"", ""), (bytearray(2), 0), (b"", 0, 0)])
def test_a_reader_takes_octets_and_a_position(args: Any) -> None:
    with pytest.raises(TypeError):
        native_reader("int")(*args)


@pytest.mark.parametrize("position", [-1, 3, LONGEST])
def test_a_position_outside_the_octets_is_refused(position: int) -> None:
    with pytest.raises(IndexError):
        native_reader("int")(b"\0\0", position)


def test_nothing_is_kept_of_what_was_read_written_or_refused() -> None:
    schema = newest(records.Numbers)
    writer, reader = native_writer(schema), native_reader(schema)
    record = directory()
    wrong = replace(record, numbers=[*record.numbers, 5])
    octets = writer(record)

    def kept_after(rounds: int) -> int:
        for _ in range(rounds):
            assert read(reader, writer(record)) == (record, len(octets))
            assert {read(reader, octets[:cut]) for cut in range(len(octets))} == {IndexError}
            with suppress(AttributeError):
                writer(wrong)
        gc.collect()
        lent = (octets, wrong, wrong.numbers, *wrong.numbers, records.Number)
        return sys.getallocatedblocks() + sum(map(sys.getrefcount, lent))

    before = kept_after(30)
    assert kept_after(30) < before + 30  # a leak is one a round at least
