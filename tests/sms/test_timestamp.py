"""The gateway's time: always +02:00, with or without a blank between date and time."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sms.timestamp import seconds_of, time_from_gateway, time_of
from tests.support.mo import timestamp


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        pytest.param("2014-01-29 02:08:30", "2014-01-29T00:08:30", id="winter"),
        pytest.param("2014-07-29 02:08:30", "2014-07-29T00:08:30", id="summer-is-the-same"),
        pytest.param("2026-03-29 02:30:00", "2026-03-29T00:30:00", id="no-hour-is-skipped"),
        pytest.param("2008-08-0609:43:50", "2008-08-06T07:43:50", id="G8.3.1-without-blank"),
        pytest.param(" 2008-08-06  09:43:50 ", "2008-08-06T07:43:50", id="blanks-around"),
        pytest.param("2024-02-29 00:00:00", "2024-02-28T22:00:00", id="leap-day"),
        pytest.param("1970-01-01 02:00:00", "1970-01-01T00:00:00", id="first-second"),
        pytest.param("9999-12-31 23:59:59", "9999-12-31T21:59:59", id="last-second"),
    ],
)
def test_a_stated_time_is_read_at_two_hours_east(text, utc):
    assert time_from_gateway(text) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "xyz",
        "2008-08-06",
        "2008-08-06T09:43:50",
        "2008-08-06 09:43",
        "2008/08/06 09:43:50",
        "2008-08-06 09.43.50",
        "2008-08-06 094350.1",
        "2008-13-06 09:43:50",
        "2023-02-29 09:43:50",
        "2008-08-06 24:00:00",
        "2008-08-06 09:43:60",
        "2008-08-06 09:43:50Z",
        "2008-W01-1 09:43:50",
        "0000-00-00 00:00:00",
        "0001-01-01 00:00:00",
        "1970-01-01 01:59:59",
        "२००८-08-06 09:43:50",
        "+008-08-06 09:43:50",
        "2008-08-06 -9:43:50",
    ],
)
def test_anything_else_is_unreadable(text):
    assert time_from_gateway(text) is None


@given(st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(9999, 12, 30)))  # noqa: DTZ001  Hypothesis wants naive bounds
def test_a_rendered_time_is_read_back(time):
    time = time.replace(tzinfo=UTC, microsecond=0)
    assert time_from_gateway(timestamp(time)) == time


@given(st.datetimes(timezones=st.just(UTC)))
def test_the_second_of_a_time_is_the_one_it_lies_in(time):
    assert time_of(seconds_of(time)) == time.replace(microsecond=0)


@given(st.text() | st.from_regex(r"\d{4}-\d\d-\d\d ?\d\d:\d\d:\d\d"))
def test_no_text_breaks_it(text):
    time = time_from_gateway(text)
    assert time is None or time.tzinfo is UTC
