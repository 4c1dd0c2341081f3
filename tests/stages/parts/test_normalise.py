"""A raw event becomes a part."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.directory.directory import Directory
from pipeline.records import MoPart, Rejected
from pipeline.stages.parts.normalise import normalise
from tests.support.mo import DIRECTORY, HANDSET, NOON, NUMBER, callback, normalised, raw, timestamp


def _part(**fields) -> MoPart:
    return normalised(callback(**fields))


def test_a_plain_part_has_nothing_odd_about_it():
    part = _part(
        text="hello",
        handset=f"+{HANDSET}",
        api_id="12345",
        mo_msg_id="m1",
        timestamp="2026-03-29 13:59:58",
        charset="iso-8859-1",
    )
    assert (part.handset, part.number, part.api_id) == (HANDSET, NUMBER, "12345")
    assert part.gateway_time == NOON - timedelta(seconds=2)
    assert part.received_at == NOON
    assert (part.charset, part.charset_given, part.octets) == ("ISO-8859-1", "iso-8859-1", b"hello")
    assert (part.reference_bits, part.parts_total, part.part_number) == (0, 1, 1)
    assert (part.source, part.raw_partition, part.raw_offset) == ("http", 0, 0)
    assert part.flags == []


def test_a_concatenated_part_says_where_it_belongs():
    part = _part(udh="06 08 04 12 34 03 02")
    assert part.udh == b"\x06\x08\x04\x12\x34\x03\x02"
    assert (part.reference_bits, part.reference) == (16, 0x1234)
    assert (part.parts_total, part.part_number) == (3, 2)


@pytest.mark.parametrize(
    ("fields", "flags"),
    [
        pytest.param({}, [], id="api-id-timestamp-charset-udh-and-id-absent"),
        pytest.param({"timestamp": "yesterday"}, ["timestamp-unreadable"], id="timestamp"),
        pytest.param({"timestamp": "  "}, [], id="blank-timestamp-is-absent"),
        pytest.param({"udh": "050003010203"}, ["malformed-udh"], id="udh"),
        pytest.param({"udh": "xyz"}, ["malformed-udh"], id="udh-not-hex"),
        pytest.param({"udh": " "}, [], id="bare-udh"),
        pytest.param({"charset": "KOI9"}, ["unknown-charset"], id="charset"),
        pytest.param({"number": "447700900999"}, ["unknown-number"], id="number"),
        pytest.param({"number": "mo_number"}, ["unknown-number"], id="number-not-digits"),
        pytest.param({"api_id": "99"}, ["unknown-api-id"], id="api-id"),
        pytest.param({"handset": "MTN"}, ["no-consent"], id="alphanumeric-handset"),
        pytest.param(
            {"timestamp": "?", "udh": "?", "charset": "?", "number": "?", "api_id": "?"}
            | {"handset": "?"},
            [
                "timestamp-unreadable",
                "malformed-udh",
                "unknown-charset",
                "unknown-number",
                "unknown-api-id",
                "no-consent",
            ],
            id="all-at-once-in-order",
        ),
    ],
)
def test_what_is_odd_is_taken_and_flagged(fields, flags):
    part = _part(**fields)
    assert part.flags == flags
    assert part.octets == b"hello"


def test_a_malformed_header_makes_a_message_of_its_own_and_is_kept():
    part = _part(udh="050003010203")
    assert part.udh == bytes.fromhex("050003010203")
    assert (part.reference_bits, part.reference, part.parts_total, part.part_number) == (0, 0, 1, 1)
    assert _part(udh="xyz").udh == b""


def test_without_a_directory_every_number_and_every_stated_api_id_is_unknown():
    part = normalised(callback(api_id="12345"), directory=Directory.empty())
    assert part.flags == ["unknown-number", "unknown-api-id"]
    assert normalised(callback(), directory=Directory.empty()).flags == ["unknown-number"]


@pytest.mark.parametrize(
    ("stated", "seconds_before_receipt"),
    [
        pytest.param(timestamp(NOON - timedelta(hours=4)), 4 * 3600, id="earlier"),
        pytest.param(timestamp(NOON), 0, id="the-same-second"),
        pytest.param(timestamp(NOON + timedelta(seconds=1)), 0, id="later-than-receipt"),
        pytest.param(timestamp(NOON + timedelta(days=400)), 0, id="far-later"),
        pytest.param("", 0, id="missing"),
        pytest.param("0000-00-00 00:00:00", 0, id="unreadable"),
    ],
)
def test_the_gateway_time_is_the_stated_one_or_our_receipt(stated, seconds_before_receipt):
    part = _part(timestamp=stated)
    assert part.gateway_time == NOON - timedelta(seconds=seconds_before_receipt)


@pytest.mark.parametrize("source", ["http", "ftp"])
@pytest.mark.parametrize(
    ("before_receipt", "is_live"),
    [
        pytest.param(timedelta(minutes=264), True, id="the-last-retry-and-ten-more"),
        pytest.param(timedelta(minutes=264, seconds=1), False, id="a-second-more"),
        pytest.param(timedelta(hours=22), False, id="22-hours"),
        pytest.param(NOON - datetime(1970, 1, 1, tzinfo=UTC), False, id="1970-01-01-02:00"),
    ],
)
def test_a_time_that_no_live_callback_can_have_is_our_receipt(before_receipt, is_live, source):
    """G8.3.1: 254 minutes of retries, and ten more; in a log any past time is believed."""
    stated = callback(timestamp=timestamp(NOON - before_receipt))
    part = normalised(stated, source=source)
    if is_live or source == "ftp":
        assert (part.gateway_time, part.flags) == (NOON - before_receipt, [])
    else:
        assert (part.gateway_time, part.flags) == (NOON, ["timestamp-implausible"])


@pytest.mark.parametrize(
    ("handset", "flags"),
    [
        ("27821234567", []),
        ("12345678", []),
        ("123456789012345", []),
        ("1234567", ["not-international"]),
        ("1234567890123456", ["not-international"]),
        ("07700905006", ["not-international"]),
        ("+07700905006", ["not-international"]),
    ],
)
def test_a_handset_that_is_not_international_is_flagged(handset, flags):
    assert _part(handset=handset).flags == flags


@pytest.mark.parametrize(
    ("given_charset", "default", "charset"),
    [
        ("", "ISO-8859-1", "ISO-8859-1"),
        ("", "UTF-16BE", "UTF-16BE"),
        ("  ", "latin1", "ISO-8859-1"),
        ("utf-16be", "ISO-8859-1", "UTF-16BE"),
        ("8bit", "ISO-8859-1", "8-BIT"),
        ("KOI8-R", "ISO-8859-1", "koi8_r"),
        ("KOI9", "ISO-8859-1", "8-BIT"),
    ],
)
def test_an_absent_charset_is_the_default_and_the_given_one_is_kept(
    given_charset, default, charset
):
    part = normalise(
        raw(b"from=1&to=2&charset=" + given_charset.encode().replace(b" ", b"+")),
        partition=0,
        offset=0,
        directory=DIRECTORY,
        default_charset=default,
    )
    assert isinstance(part, MoPart)
    assert (part.charset, part.charset_given) == (charset, given_charset.strip())


def test_the_number_texted_stays_on_a_part_of_a_range():
    """G8.4: a range is one number, but the part keeps the VMN that was texted (spec-021)."""
    assert _part(number="447700900777").number == "447700900777"


def test_a_raw_event_that_holds_no_callback_gives_no_part():
    assert (
        normalise(raw(b""), partition=0, offset=0, directory=DIRECTORY, default_charset="") is None
    )


def test_a_raw_event_without_a_handset_is_refused():
    found = normalise(
        raw(b"to=1"), partition=0, offset=0, directory=DIRECTORY, default_charset="ISO-8859-1"
    )
    assert isinstance(found, Rejected)


@given(
    st.binary()
    | st.builds(
        lambda *values: b"from=1&to=2&timestamp=%b&udh=%b&charset=%b&text=%b" % values,
        *[st.binary(max_size=30).map(lambda octets: octets.replace(b"&", b"").replace(b"%", b""))]
        * 4,
    )
)
def test_arbitrary_octets_give_a_value_and_a_replay_the_same(query):
    def once() -> MoPart | Rejected | None:
        return normalise(
            raw(query), partition=3, offset=7, directory=DIRECTORY, default_charset="ISO-8859-1"
        )

    part = once()
    assert part == once()
    if isinstance(part, MoPart):
        assert part.handset
        assert part.number
        assert part.gateway_time <= part.received_at
        assert 1 <= part.part_number <= part.parts_total
