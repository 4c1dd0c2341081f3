"""Durations in the forms in which people type them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli.terminal.duration import duration_from_text, text_from_duration

READ = [
    ("6h", timedelta(hours=6)),
    ("90m", timedelta(minutes=90)),
    ("1h30m", timedelta(hours=1, minutes=30)),
    ("2d", timedelta(days=2)),
    ("45s", timedelta(seconds=45)),
    ("1d2h3m4s", timedelta(days=1, hours=2, minutes=3, seconds=4)),
    (" 6H ", timedelta(hours=6)),
]
REFUSED = [
    "",
    "6",
    "h",
    "0h",
    "0d0s",
    "-1h",
    "1.5h",
    "30m1h",
    "1h1h",
    "6 h",
    "6w",
    "٦h",
    "1h30",
    "1h\n2",
]


@pytest.mark.parametrize(("text", "duration"), READ, ids=[text for text, _ in READ])
def test_a_duration_is_read(text: str, duration: timedelta) -> None:
    assert duration_from_text(text) == duration


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="1h30m"):
        duration_from_text(text)


@given(st.integers(min_value=1, max_value=90_000 * 86_400))
def test_writing_and_reading_are_inverse(seconds: int) -> None:
    duration = timedelta(seconds=seconds)
    assert duration_from_text(text_from_duration(duration)) == duration


def test_no_time_at_all_is_written_as_seconds() -> None:
    assert text_from_duration(timedelta()) == "0s"
