"""Parts become messages."""

from datetime import timedelta
from itertools import permutations

import msgspec
import pytest

from pipeline.stages.parts.message import message_from_parts
from pipeline.stages.parts.reassemble import assemblies_from_octets, reassemble, release_due
from tests.support.assembling import KEEP, SPREAD, TIMEOUT, Box, piece
from tests.support.golden_rows import golden_rows
from tests.support.mo import NOON, Seen, accepted, callback, normalised

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def _callback_of_arrival(arrival: dict):
    """A golden arrival as our callback; SMPP's TLVs become a header."""
    udh = arrival.get("udh_hex", "")
    if "tlv" in arrival:
        tlv = arrival["tlv"]
        reference = f"{tlv['sar_msg_ref_num']:04x}"
        udh = f"060804{reference}{tlv['sar_total_segments']:02x}{tlv['sar_segment_seqnum']:02x}"
    if "query" in arrival:  # mpart-016: an aggregator's own long-message fields
        fields = dict(pair.split("=") for pair in arrival["query"].split("&"))
        udh = f"05000301{int(fields['msglong.msgcount']):02x}{int(fields['msglong.msgref']):02x}"
    return callback(
        arrival["text"],
        handset=arrival.get("src", "1"),
        number=arrival.get("dst", "2"),
        udh=udh,
        timestamp="2026-03-29 13:00:00",
    )


@pytest.mark.parametrize("row", golden_rows("multipart_reassembly"))
def test_golden_arrivals(row):
    arrivals = row["input"].get("arrivals") or [  # mpart-028, by the header of udh-041
        {"udh_hex": "0B05040B8423F00003AA0201", "text": "first "},
        {"udh_hex": "050003AA0202", "text": "second"},
    ]
    seen, box = Seen(), Box()
    parts = [seen.accept(normalised(_callback_of_arrival(arrival))) for arrival in arrivals]
    messages = box.take_all(part for part in parts if part is not None)
    expected = row["expected"]["messages"]
    if isinstance(expected, int):
        assert len(messages) == expected
    else:
        assert [message.text for message in messages] == expected
    assert bool(box.open_parts()) == row["expected"].get("pending", False)
    for flag in row.get("ours", {}).get("flags", []):
        assert all(flag in message.flags for message in messages)


@pytest.mark.parametrize("order", list(permutations((1, 2, 3))))
def test_parts_join_in_any_order(order):
    box = Box()
    parts = {
        1: piece(1, sent=2 * SECOND, received=5 * MINUTE, api_id="12345"),
        2: piece(2, sent=1 * SECOND, received=6 * MINUTE),
        3: piece(3, sent=3 * SECOND, received=7 * MINUTE),
    }
    (message,) = box.take_all(parts[number] for number in order)
    last = parts[order[-1]]
    assert message.text == "<1><2><3>"
    assert message.octets == b"<1><2><3>"
    assert message.part_ids == [parts[n].part_id for n in (1, 2, 3)]
    assert message.mo_msg_ids == [parts[n].mo_msg_id for n in (1, 2, 3)]
    assert (message.parts_total, message.parts_missing, message.complete) == (3, [], True)
    assert message.gateway_time == NOON + SECOND
    assert message.received_at == last.received_at
    assert (message.api_id, message.account, message.flags) == ("12345", "main", [])
    assert box.rows == {}


def test_the_source_is_that_of_the_part_that_came_last():
    box = Box()
    parts = [
        msgspec.structs.replace(piece(number, of=2), source=source)
        for number, source in ((2, "http"), (1, "ftp"))
    ]
    (message,) = box.take_all(parts)
    assert message.source == "ftp"


@pytest.mark.parametrize(
    ("octets", "charset", "text", "lossy"),
    [
        pytest.param((b"\x00A\xd8\x3d", b"\xde\x00\x00B"), "UTF-16BE", "A😀B", False, id="cs-028"),
        pytest.param((b"\x00A\x00", b"B\x00C"), "UTF-16BE", "ABC", False, id="odd-cut"),
        pytest.param((b"\x00A\x00", b"B"), "UTF-16BE", "AB", False, id="both-odd"),
        pytest.param((b"\x00A", b"\x00"), "UTF-16BE", "A\ufffd", True, id="odd-octet-at-the-end"),
        pytest.param((b"\x01", b"\xfe"), "8-BIT", "01fe", False, id="binary"),
    ],
)
def test_octets_are_joined_before_they_are_decoded(octets, charset, text, lossy):
    parts = [piece(n, each, of=2, charset=charset) for n, each in enumerate(octets, 1)]
    (message,) = Box().take_all(reversed(parts))
    assert (message.text, message.lossy) == (text, lossy)
    assert message.octets == b"".join(octets)
    assert message.charset == charset


def test_runs_of_different_charsets_are_decoded_each_by_its_own():
    parts = [
        piece(1, b"\xd8\x3d", of=4, charset="UTF-16BE"),
        piece(2, b"\xde\x00", of=4, charset="UTF-16BE"),
        piece(3, b"caf\xe9", of=4, charset="ISO-8859-1"),
        piece(4, b"\xff", of=4, charset="KOI9"),
    ]
    (message,) = Box().take_all(parts)
    assert message.text == "😀caféff"
    assert (message.charset, message.lossy) == ("UTF-16BE", False)
    assert message.flags == ["unknown-charset", "mixed-charset"]


def test_nothing_is_joined_over_a_missing_part():
    box = Box()
    parts = [
        piece(1, b"\x00A\xd8\x3d", charset="UTF-16BE"),
        piece(3, b"\xde\x00\x00B", charset="UTF-16BE"),
    ]
    assert box.take_all(parts) == []
    (message,) = box.tick(NOON + TIMEOUT)
    assert (message.text, message.lossy) == ("A\ufffd\ufffdB", True)


def test_flags_of_the_parts_are_the_messages_in_order_and_once():
    parts = [
        piece(2, of=2, api_id="99", charset="?"),
        piece(1, of=2, handset="27821234567", timestamp="?", charset="?"),
    ]
    (message,) = Box().take_all(parts)
    assert message.flags == ["timestamp-unreadable", "unknown-charset", "unknown-api-id"]


def test_a_part_of_a_message_of_one_part_is_whole():
    box = Box()
    (message,) = box.take(piece(1, "alone", of=1))
    assert (message.text, message.complete, message.parts_total) == ("alone", True, 1)
    assert box.rows == {}


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"handset": "27820000000"}, id="handset"),
        pytest.param({"number": "447700900999"}, id="number"),
        pytest.param({"reference": 8}, id="reference"),
        pytest.param({"wide": True}, id="reference-width"),
        pytest.param({"of": 4}, id="total"),
    ],
)
def test_parts_of_another_message_do_not_join(other):
    box = Box()
    assert box.take_all([piece(1), piece(2), piece(3, **other)]) == []
    assert len(box.rows) == 2


@pytest.mark.parametrize(
    ("apart", "joined"),
    [
        pytest.param(SPREAD, True, id="at-the-spread"),
        pytest.param(SPREAD + SECOND, False, id="above-the-spread"),
    ],
)
@pytest.mark.parametrize("order", list(permutations((1, 2, 3))))
def test_parts_join_only_within_the_spread_of_each_other(apart, joined, order):
    parts = {1: piece(1), 2: piece(2, sent=apart / 2), 3: piece(3, sent=apart)}
    assert bool(Box().take_all(parts[number] for number in order)) == joined


def test_gateway_times_are_compared_in_whole_seconds():
    """A receipt in place of a missing time has a fraction of a second."""
    without_time = piece(1, of=2, received=SPREAD + timedelta(milliseconds=900), timestamp="")
    assert Box().take_all([without_time, piece(2, of=2)])


def test_of_two_open_assemblies_the_nearest_in_time_takes_the_part():
    box = Box()
    assert box.take_all([piece(1, "a1-"), piece(1, "b1-", sent=10 * MINUTE)]) == []
    assert box.take_all([piece(2, "b2-", sent=9 * MINUTE), piece(2, "a2-", sent=4 * MINUTE)]) == []
    messages = box.take_all([piece(3, "b3", sent=11 * MINUTE), piece(3, "a3", sent=1 * MINUTE)])
    assert [message.text for message in messages] == ["b1-b2-b3", "a1-a2-a3"]


def test_of_two_equally_near_the_one_first_begun_takes_the_part():
    box = Box()
    box.take_all([piece(1, "a"), piece(1, "b"), piece(2, "c", sent=SECOND)])
    (message,) = box.take(piece(3, "d", sent=SECOND))
    assert message.text == "acd"


def test_a_taken_slot_starts_a_new_message_or_fills_another():
    box = Box()
    assert box.take_all([piece(1, "a1", of=2), piece(1, "b1", of=2, sent=MINUTE)]) == []
    (first,) = box.take(piece(2, "a2", of=2, sent=SECOND))
    (second,) = box.take(piece(2, "b2", of=2, sent=2 * SECOND))
    assert [first.text, second.text] == ["a1a2", "b1b2"]


def test_a_reference_used_again_at_once_is_another_message():
    box = Box()
    first = box.take_all([piece(n, f"x{n}", of=2) for n in (1, 2)])
    second = box.take_all([piece(n, f"y{n}", of=2, sent=SECOND) for n in (1, 2)])
    assert [message.text for message in first + second] == ["x1x2", "y1y2"]


def test_an_incomplete_message_goes_out_when_its_time_has_come():
    box = Box()
    box.take_all([piece(3, received=HOUR), piece(1, received=2 * HOUR)])
    due = NOON + 2 * HOUR + TIMEOUT
    assert box.due_at() == due
    assert box.tick(due - SECOND) == []
    (message,) = box.tick(due)
    assert (message.complete, message.parts_missing, message.parts_total) == (False, [2], 3)
    assert (message.text, message.flags) == ("<1><3>", [])
    assert message.received_at == NOON + 2 * HOUR
    assert box.open_parts() == []
    assert box.tick(due + HOUR) == []


def test_only_what_is_due_goes_out():
    box = Box()
    box.take_all([piece(1, "a"), piece(1, "b", sent=HOUR)])
    assert [message.text for message in box.tick(NOON + TIMEOUT)] == ["a"]
    assert [message.text for message in box.tick(NOON + TIMEOUT + HOUR)] == ["b"]


def test_a_part_finds_what_was_due_gone_though_no_tick_came():
    box = Box()
    box.take_all([piece(1), piece(2)])
    released, late = box.take(piece(3, received=TIMEOUT))
    assert (released.text, released.parts_missing, released.flags) == ("<1><2>", [3], [])
    assert (late.text, late.flags) == ("<3>", ["late-part"])


def test_a_part_that_comes_after_the_release_is_a_late_piece():
    box = Box()
    box.take(piece(2))
    (released,) = box.tick(NOON + TIMEOUT)
    (late,) = box.take(piece(3, received=TIMEOUT + HOUR))
    assert (released.parts_missing, late.parts_missing) == ([1, 3], [1, 2])
    assert (late.text, late.complete, late.flags) == ("<3>", False, ["late-part"])
    (last,) = box.take(piece(1, received=TIMEOUT + 2 * HOUR))
    assert (last.text, last.complete, last.flags) == ("<1>", False, ["late-part"])
    assert box.rows == {}  # nothing can be late any more
    assert len({released.message_id, late.message_id, last.message_id}) == 3


@pytest.mark.parametrize(
    ("sent", "is_late"),
    [
        pytest.param(SPREAD, True, id="within"),
        pytest.param(-SPREAD, True, id="within-before"),
        pytest.param(SPREAD + SECOND, False, id="outside"),
        pytest.param(TIMEOUT + HOUR, False, id="next-day"),
    ],
)
def test_a_marker_takes_only_parts_within_the_spread(sent, is_late):
    box = Box()
    box.take(piece(2))
    box.tick(NOON + TIMEOUT)
    messages = box.take(piece(1, sent=sent, received=TIMEOUT + 2 * HOUR))
    assert bool(messages) == is_late
    assert bool(box.open_parts()) != is_late


def test_a_marker_does_not_swallow_a_new_message_with_the_reference():
    box = Box()
    box.take(piece(1, of=2))
    box.tick(NOON + TIMEOUT)
    new = [piece(n, f"new{n} ", of=2, sent=TIMEOUT + HOUR + n * SECOND) for n in (2, 1)]
    (message,) = box.take_all(new)
    assert (message.text, message.complete, message.flags) == ("new1 new2 ", True, [])


def test_a_late_part_takes_its_slot_so_that_another_is_not_late():
    box = Box()
    box.take(piece(1))
    box.tick(NOON + TIMEOUT)
    assert len(box.take(piece(2, "late", received=TIMEOUT + HOUR))) == 1
    assert box.take(piece(2, "other", received=TIMEOUT + HOUR)) == []
    assert len(box.open_parts()) == 1


def test_between_an_open_message_and_a_released_one_the_nearest_in_time_counts():
    box = Box()
    box.take(piece(1, "old", of=2))
    box.tick(NOON + TIMEOUT)
    box.take(piece(1, "new1", of=2, sent=40 * MINUTE, received=TIMEOUT + HOUR))
    (late,) = box.take(piece(2, "old2", of=2, sent=10 * MINUTE, received=TIMEOUT + HOUR))
    (whole,) = box.take(piece(2, "new2", of=2, sent=30 * MINUTE, received=TIMEOUT + HOUR))
    assert (late.text, late.complete) == ("old2", False)
    assert (whole.text, whole.complete) == ("new1new2", True)


def test_of_an_open_message_and_a_released_one_equally_near_the_open_one_takes_the_part():
    box = Box()
    box.take(piece(1, "old", of=2))
    box.tick(NOON + TIMEOUT)
    box.take(piece(1, "new1", of=2, sent=2 * MINUTE, received=TIMEOUT + HOUR))
    (whole,) = box.take(piece(2, "new2", of=2, sent=MINUTE, received=TIMEOUT + HOUR))
    assert (whole.text, whole.complete) == ("new1new2", True)


def test_a_late_piece_is_never_taken_for_the_message_of_its_part():
    part = piece(1)
    messages = [message_from_parts([part], account="main", late=late) for late in (False, True)]
    assert len({message.message_id for message in messages}) == 2


def test_what_is_released_belongs_to_the_account_the_number_had_last():
    row = None
    for number, account in ((1, "before"), (2, "after")):
        row, messages = reassemble(
            row, piece(number), spread=SPREAD, timeout=TIMEOUT, account=account
        )
        assert messages == []
    assert row is not None
    _, (message,) = release_due(row, now=NOON + TIMEOUT, timeout=TIMEOUT, keep=KEEP)
    assert message.account == "after"


def test_a_marker_is_kept_for_the_horizon_and_then_forgotten():
    box = Box()
    box.take(piece(1))
    box.tick(NOON + TIMEOUT + HOUR)
    forgotten = NOON + TIMEOUT + KEEP
    assert box.due_at() == forgotten
    box.tick(forgotten - SECOND)
    assert box.rows
    box.tick(forgotten)
    assert box.rows == {}
    assert box.take(piece(2, received=TIMEOUT + KEEP + HOUR)) == []


def test_a_whole_message_of_one_part_is_the_part():
    part = accepted(callback("hi", mo_msg_id="m", api_id="7", timestamp="?"))
    (message,) = Box().take(part)
    assert (message.text, message.octets, message.complete, message.lossy) == (
        "hi",
        b"hi",
        True,
        False,
    )
    assert (message.mo_msg_ids, message.part_ids) == (["m"], [part.part_id])
    assert (message.parts_total, message.parts_missing) == (1, [])
    assert message.flags == ["timestamp-unreadable", "unknown-api-id"]
    assert (message.gateway_time, message.received_at) == (NOON, NOON)


def test_a_row_that_is_none_of_ours_is_not_read():
    with pytest.raises(msgspec.DecodeError):
        assemblies_from_octets(b"\x00")
