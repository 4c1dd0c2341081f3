"""How many seconds a header says to wait (RFC 9110 10.2.3)."""

import pytest

from pipeline.web.retry_after import seconds_from_header

NOW = 1_218_007_800.0  # Wed, 06 Aug 2008 07:30:00 GMT


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", 0),
        ("0", 0),
        ("120", 120),
        ("9" * 5_000, 24 * 3600),
        ("-5", 0),
        ("1.5", 0),
        ("٣", 0),
        ("Wed, 06 Aug 2008 07:31:00 GMT", 60),
        ("Wed, 06 Aug 2008 07:29:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 24 * 3600),
        ("soon", 0),
        ("Wed, 06 Aug 99999999999999 07:31:00 GMT", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_never_more_than_a_day(header, seconds):
    assert seconds_from_header(header, now=NOW) == seconds
