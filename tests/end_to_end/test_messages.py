"""From the gateway's request to the row in ClickHouse."""

from __future__ import annotations

import random

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.rented_numbers import ANN, API_ID

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]


def test_a_text_becomes_a_row_with_everything_the_gateway_said(outside, handset):
    sent = outside.text(handset, "Two £5 tickets, señor")
    (row,) = outside.rows("mo_message", handset)
    assert row["text"] == "Two £5 tickets, señor"
    assert row["number"] == ANN
    assert row["mo_msg_ids"] == [sent.mo_msg_id]
    assert (row["api_id"], row["charset"], row["source"]) == (API_ID, "ISO-8859-1", "http")
    assert (row["parts_total"], row["parts_missing"]) == (1, [])
    assert (bool(row["complete"]), bool(row["lossy"]), row["flags"]) == (True, False, [])


def test_parts_out_of_order_and_twice_with_a_cut_surrogate_pair_make_one_message(outside, handset):
    text = "طلبي \U0001f600 شكرا"  # three parts; the second cut goes through the pair
    octets = text.encode("utf-16-be")
    cut = octets.index("\U0001f600".encode("utf-16-be")) + 2
    parts = [octets[:4], octets[4:cut], octets[cut:]]
    callbacks = [
        outside.callback(handset, part, charset="UTF-16BE", udh=f"050003A103{number:02X}")
        for number, part in enumerate(parts, 1)
    ]
    for index in (2, 0, 2, 1, 0):
        outside.deliver(callbacks[index])
    (row,) = outside.rows("mo_message", handset)
    assert row["text"] == text
    assert row["mo_msg_ids"] == [callback.mo_msg_id for callback in callbacks]
    assert bool(row["complete"])
    assert not bool(row["lossy"])
    assert len(outside.rows("mo_part", handset, at_least=3)) == 3


def test_two_handsets_with_the_same_reference_are_never_mixed(outside):
    one, other = outside.new_handset(), outside.new_handset()
    for number in (1, 2):
        for handset in (one, other):
            text = f"{handset}-{number};"
            outside.text(handset, text, udh=f"060804BEEF02{number:02x}")
    for handset in (one, other):
        (row,) = outside.rows("mo_message", handset)
        assert row["text"] == f"{handset}-1;{handset}-2;"


def test_a_retry_changes_nothing_and_a_reused_id_is_a_message_of_its_own(outside, handset):
    first = outside.text(handset, "one")
    outside.deliver(first)
    outside.text(handset, "two", mo_msg_id=first.mo_msg_id)
    outside.deliver(first)
    outside.text(handset, "end of it")
    rows = outside.rows("mo_message", handset, at_least=3, order="received_at")
    assert [(row["text"], row["flags"]) for row in rows] == [
        ("one", []),
        ("two", ["id-reused"]),
        ("end of it", ["review"]),  # it holds the word END, and is no stop message
    ]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"mo_msg_id": ""}, {"mo_msg_ids": [""], "flags": []}),
        ({"charset": ""}, {"charset": "ISO-8859-1", "flags": []}),
        ({"charset": "KOI8-R"}, {"text": "hi", "flags": ["unexpected-charset"]}),
        ({"charset": "KOI9"}, {"charset": "8-BIT", "text": "6869", "flags": ["unknown-charset"]}),
        ({"number": "990011"}, {"number": "990011", "flags": ["unknown-number"]}),
        ({"api_id": "777"}, {"api_id": "777", "flags": ["unknown-api-id"]}),
        ({"udh": "0500034F"}, {"parts_total": 1, "flags": ["malformed-udh"]}),
        ({"timestamp": "soon"}, {"flags": ["timestamp-unreadable"]}),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_what_is_odd_is_taken_and_flagged(outside, handset, fields, expected):
    outside.text(handset, "hi", **fields)
    (row,) = outside.rows("mo_message", handset)
    assert {name: row[name] for name in expected} == expected


def test_an_empty_text_is_a_message(outside, handset):
    outside.text(handset, "")
    (row,) = outside.rows("mo_message", handset)
    assert row["text"] == ""
    assert bool(row["complete"])


def test_what_is_refused_is_kept_whole_in_the_dead_letter(outside, handset):
    query = f"from={handset}&text=no+number+{handset}"
    answer = outside.http.get(f"{outside.ingest}/mo/http?{query}")
    assert answer.status_code == 400
    assert len(answer.text.splitlines()) == 1
    letters = outside.wait(
        lambda: (
            outside.sql(
                "SELECT stage, reason, words FROM dead_letter "
                "WHERE position(toString(headers), {q:String}) > 0 "
                "OR position(octets, {q:String}) > 0",
                q=handset,
            )
            or None
        ),
        "the dead letter",
    )
    assert [(letter["stage"], letter["reason"]) for letter in letters] == [("ingest", "missing-to")]
    assert handset not in letters[0]["words"]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    query=st.binary(max_size=200) | st.binary(max_size=60).map(lambda b: b"from=1&to=2&text=" + b),
    method=st.sampled_from(["GET", "POST"]),
)
def test_any_octets_get_an_answer_and_break_nothing(outside, query, method):
    """Ingest does not crash, whatever arrives; the messages of the next test still arrive."""
    target = bytes(byte for byte in query if byte > 0x20 and byte not in b'#"<>\\^`{|}\x7f')
    url = httpx.URL(outside.ingest).copy_with(path="/mo/http")
    if method == "GET":
        raw_path = b"/mo/http?" + bytes(byte for byte in target if byte < 0x80)
        request = httpx.Request("GET", url.copy_with(raw_path=raw_path))
        answer = outside.http.send(request)
    else:
        answer = outside.http.post(
            url, content=query, headers={"Content-Type": "application/x-www-form-urlencoded"}
        )
    assert answer.status_code in (200, 400), answer.text


def test_messages_among_any_octets_all_arrive(outside):
    """The other half: bad input between messages loses no message and stalls no partition."""
    rng = random.Random(11)
    handsets = [outside.new_handset() for _ in range(40)]
    for handset in handsets:
        junk = rng.randbytes(40)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        outside.http.post(f"{outside.ingest}/mo/http", content=junk, headers=headers)
        bad = f"from={handset}&to={ANN}&text=%ZZ"
        assert outside.http.get(f"{outside.ingest}/mo/http?{bad}").status_code == 400
        octets = rng.randbytes(30)
        outside.deliver(outside.callback(handset, octets, charset="UTF-16BE"))
        outside.text(handset, f"still here {handset}")
    for handset in handsets:
        rows = outside.rows("mo_message", handset, at_least=2, order="received_at")
        assert len(rows) == 2
        assert rows[0]["text"] != ""
        assert rows[1]["text"] == f"still here {handset}"
