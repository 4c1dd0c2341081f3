"""Every part has one effect, however often it arrives."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.records import MoPart
from pipeline.sms.udh import WHOLE
from pipeline.stages.parts.dedupe import key_of_part, seen_key
from tests.support.mo import NOON, Seen, callback, normalised, timestamp

RETRIES_MINUTES = [2, 4, 8, 16, 32, 64, 128]  # G8.3.1, each after the one before
STATED = timestamp(NOON - timedelta(seconds=3))
ONE = {"mo_msg_id": "m1", "udh": "050003330201", "timestamp": STATED}


def _accepted(*given_callbacks, received_at=NOON) -> list[MoPart]:
    seen = Seen()
    parts = [seen.accept(normalised(each, received_at=received_at)) for each in given_callbacks]
    return [part for part in parts if part is not None]


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"mo_msg_id": "m1"}, id="with-id"),
        pytest.param({"mo_msg_id": "m1", "timestamp": STATED}, id="with-id-and-time"),
        pytest.param({"timestamp": STATED}, id="without-id"),
        pytest.param(
            {"timestamp": timestamp(NOON + timedelta(minutes=5))}, id="without-id-clock-ahead"
        ),
    ],
)
def test_each_retry_of_the_gateway_is_a_duplicate(fields):
    seen, at = Seen(), NOON
    assert seen.accept(normalised(callback(**fields), received_at=at)) is not None
    for minutes in RETRIES_MINUTES:
        at += timedelta(minutes=minutes)
        assert seen.accept(normalised(callback(**fields), received_at=at)) is None
    assert at - NOON == timedelta(minutes=254)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"timestamp": ""}, id="time-absent"),
        pytest.param({"charset": "ISO-8859-1"}, id="charset-named"),
        pytest.param({"api_id": "12345"}, id="api-id-named"),
        pytest.param({"udh": "05 00 03 33 02 01"}, id="udh-with-blanks"),
        pytest.param({"handset": "+27821234567"}, id="handset-with-plus"),
    ],
)
def test_the_same_part_told_otherwise_is_a_duplicate(change):
    assert len(_accepted(callback(**ONE), callback(**ONE | change))) == 1


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"mo_msg_id": "m2"}, id="id"),
        pytest.param({"handset": "27820000000"}, id="handset"),
        pytest.param({"number": "447700900999"}, id="number"),
        pytest.param({"udh": "050003330202"}, id="part-number"),
        pytest.param({"udh": "050003330301"}, id="total"),
        pytest.param({"udh": "050003340201"}, id="reference"),
        pytest.param({"udh": "06080400330201"}, id="reference-width"),
        pytest.param({"udh": ""}, id="not-concatenated"),
    ],
)
def test_another_part_is_no_duplicate_even_with_the_same_text(change):
    parts = _accepted(callback(**ONE), callback(**ONE | change))
    assert len(parts) == 2
    assert all("id-reused" not in part.flags for part in parts)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"text": "b"}, id="text"),
        pytest.param({"timestamp": timestamp(NOON - timedelta(seconds=4))}, id="time"),
        pytest.param({"udh": "0605040B8423F0"}, id="udh"),
        pytest.param({"udh": "xyz"}, id="udh-not-hex"),
        pytest.param({"handset": "27820000000"}, id="handset"),
        pytest.param({"number": "447700900999"}, id="number"),
    ],
)
def test_without_an_id_time_udh_and_octets_tell_parts_apart(change):
    fields = {"text": "a", "timestamp": STATED}
    parts = _accepted(callback(**fields), callback(**fields | change))
    assert len(parts) == 2
    assert all("id-reused" not in part.flags for part in parts)


@pytest.mark.parametrize("stated", ["2026-11-28T02:00:00", "soon", "0000-00-00 00:00:00"])
def test_a_retry_without_an_id_is_known_by_a_time_that_cannot_be_read(stated):
    seen, at = Seen(), NOON
    assert seen.accept(normalised(callback(timestamp=stated), received_at=at)) is not None
    for minutes in RETRIES_MINUTES:
        at += timedelta(minutes=minutes)
        assert seen.accept(normalised(callback(timestamp=stated), received_at=at)) is None
    other = callback(timestamp=f"{stated}!")
    assert seen.accept(normalised(other, received_at=at)) is not None


@pytest.mark.parametrize("stated", ["2026-11-28T02:00:00", "soon", "0000-00-00 00:00:00"])
def test_a_time_that_cannot_be_read_is_no_name_of_later_messages(stated):
    """A gateway that states the same words in every callback: each stop, with its own retries."""
    seen, ids = Seen(), set()
    for hours in (0, 5, 29, 150):  # within the horizon of 7 days
        at = NOON + timedelta(hours=hours)
        part = seen.accept(normalised(callback("STOP", timestamp=stated), received_at=at))
        assert part is not None, hours
        assert part.flags == ["timestamp-unreadable"]
        ids.add(part.part_id)
        for minutes in RETRIES_MINUTES:
            at += timedelta(minutes=minutes)
            again = normalised(callback("STOP", timestamp=stated), received_at=at)
            assert seen.accept(again) is None, (hours, minutes)
    assert len(ids) == 4


@pytest.mark.parametrize(("minutes", "is_new"), [(-1, False), (264, False), (265, True)])
def test_the_retries_end_after_264_minutes(minutes, is_new):
    seen = Seen()
    fields = {"text": "STOP", "timestamp": "soon"}
    assert seen.accept(normalised(callback(**fields))) is not None
    later = normalised(callback(**fields), received_at=NOON + timedelta(minutes=minutes))
    assert (seen.accept(later) is not None) is is_new


@pytest.mark.parametrize("first", ["http", "ftp"])
def test_a_line_of_a_log_is_the_callback_whenever_it_is_read(first):
    """Days later, too: an import that is done twice changes nothing."""
    seen = Seen()
    fields = {"text": "STOP", "timestamp": "soon"}
    assert seen.accept(normalised(callback(**fields), source=first)) is not None
    for days in (1, 3):
        line = normalised(callback(**fields), received_at=NOON + timedelta(days=days), source="ftp")
        assert seen.accept(line) is None


def test_with_an_id_a_time_that_cannot_be_read_counts_for_nothing():
    seen = Seen()
    fields = {"text": "STOP", "timestamp": "soon", "mo_msg_id": "m1"}
    assert seen.accept(normalised(callback(**fields))) is not None
    for days in (1, 3):
        at = NOON + timedelta(days=days)
        assert seen.accept(normalised(callback(**fields), received_at=at)) is None


def test_a_row_of_before_has_no_receipt_and_its_parts_are_duplicates():
    seen = Seen()
    fields = {"text": "STOP", "timestamp": "soon"}
    part = normalised(callback(**fields))
    assert seen.accept(part) is not None
    seen.rows[seen_key(part)] = seen.rows[seen_key(part)][:8]
    later = normalised(callback(**fields), received_at=NOON + timedelta(days=1))
    assert seen.accept(later) is None


def test_without_id_and_time_nothing_tells_a_retry_from_another_message():
    seen = Seen()
    for seconds in range(3):
        part = normalised(callback(), received_at=NOON + timedelta(seconds=seconds))
        assert seen.accept(part) is not None


def test_a_reused_id_makes_a_part_of_its_own_and_its_repeats_are_its_duplicates():
    texts = ["one", "two", "one", "two", "three", "two", "one", "three"]
    parts = _accepted(*(callback(text, mo_msg_id="m1") for text in texts))
    assert [(part.octets, part.flags) for part in parts] == [
        (b"one", []),
        (b"two", ["id-reused"]),
        (b"three", ["id-reused"]),
    ]
    assert len({part.part_id for part in parts}) == 3


def test_a_part_after_the_horizon_has_another_id_and_a_replay_the_same():
    def first(at) -> MoPart:
        part = Seen().accept(normalised(callback(mo_msg_id="m1"), received_at=at))
        assert part is not None
        return part

    assert first(NOON) == first(NOON)
    assert first(NOON).part_id != first(NOON + timedelta(days=8)).part_id
    assert len(first(NOON).part_id) == 32
    assert int(first(NOON).part_id, 16)


def test_the_key_has_sixteen_octets():
    assert len(seen_key(normalised(callback()))) == 16


def _key(source: str, offset: int, mo_msg_id: str) -> bytes:
    return key_of_part(
        source=source,
        raw_position=(0, offset),
        handset="27821234567",
        number="447700900123",
        mo_msg_id=mo_msg_id,
        concatenation=WHOLE,
        sent_at=NOON,
        udh=b"",
        octets=b"hello",
    )


@pytest.mark.parametrize("mo_msg_id", ["m1", ""])
def test_one_part_has_one_key_by_whichever_way_it_comes(mo_msg_id):
    keys = {_key(way, at, mo_msg_id) for at, way in enumerate(["http", "xml", "soap", "ftp"])}
    assert len(keys) == 1


def test_a_deliver_sm_is_a_duplicate_of_itself_only():
    assert _key("smpp", 1, "") == _key("smpp", 1, "")
    assert _key("smpp", 1, "") != _key("smpp", 2, "")
    assert _key("smpp", 1, "") != _key("http", 1, "")


fields = st.fixed_dictionaries(
    {
        "text": st.sampled_from(["a", "b"]),
        "mo_msg_id": st.sampled_from(["", "m1", "m2"]),
        "timestamp": st.sampled_from([STATED, timestamp(NOON - timedelta(hours=1))]),
        "udh": st.sampled_from(["", "050003330201", "050003330202"]),
    }
)


@given(st.lists(fields, max_size=12))
def test_a_second_pass_over_everything_accepts_nothing(parts):
    seen = Seen()
    arrivals = [callback(**each) for each in parts]
    first = [seen.accept(normalised(each)) for each in arrivals]
    again = [seen.accept(normalised(each, received_at=NOON + timedelta(1))) for each in arrivals]
    assert again == [None] * len(arrivals)
    ids = [part.part_id for part in first if part is not None]
    assert len(ids) == len(set(ids))
    told_apart = {
        (each["mo_msg_id"] or each["timestamp"], each["udh"], each["text"]) for each in parts
    }
    assert len(ids) == len(told_apart)
