"""Percent-encoding: octets in, octets out, and errors are reported."""

import re
from urllib.parse import quote_plus, unquote_to_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.wire.percent import octets_from_percent, percent_from_octets


@pytest.mark.parametrize(
    ("encoded", "octets"),
    [
        pytest.param(b"sample%20message1", b"sample message1", id="mo-ftp-001"),
        pytest.param(b"Test+clicks", b"Test clicks", id="plus-is-a-blank"),
        pytest.param(b"1%2B1", b"1+1", id="escaped-plus-is-a-plus"),
        pytest.param(b"%d8%3D%De%00", b"\xd8\x3d\xde\x00", id="either-case"),
        pytest.param(b"%06%2A%063", b"\x06\x2a\x063", id="unescaped-octet-between"),
        pytest.param(b"%25%32%30", b"%20", id="decoded-once"),
        pytest.param(b"\xe9;/?", b"\xe9;/?", id="raw-octets-are-themselves"),
        pytest.param(b"", b"", id="empty"),
        pytest.param(b"100%", None, id="percent-at-the-end"),
        pytest.param(b"%4", None, id="one-digit"),
        pytest.param(b"%zz", None, id="no-digits"),
        pytest.param(b"%%41", None, id="percent-percent"),
        pytest.param(b"a=b%3Dc=41", b"a=b=c=41", id="equals-signs"),
        pytest.param(b"_a_\t \r\n", b"_a_\t \r\n", id="blanks-and-line-ends-stay"),
        pytest.param(b"%41 \r\n%42\t\n", b"A \r\nB\t\n", id="line-ends-between-escapes"),
        pytest.param(b"%41%\n", None, id="percent-before-a-line-end"),
        pytest.param(b"%\r\n41", None, id="percent-before-both-line-ends"),
        pytest.param(b"%+1", None, id="plus-for-a-digit"),
        pytest.param(b"%u0041", None, id="not-a-standard-escape"),
    ],
)
def test_octets_come_out_or_none_where_it_is_broken(encoded, octets):
    assert octets_from_percent(encoded) == octets


@given(st.binary())
def test_every_octet_survives(octets):
    encoded = percent_from_octets(octets)
    assert octets_from_percent(encoded) == octets
    assert encoded.decode() == quote_plus(octets)  # a second implementation


@settings(max_examples=1000)
@given(st.binary() | st.text("%+aF09g &=\r\n_").map(str.encode))
def test_arbitrary_octets_decode_as_the_standard_library_does_or_are_broken(encoded):
    is_broken = re.search(rb"%(?![0-9A-Fa-f]{2})", encoded)
    expected = None if is_broken else unquote_to_bytes(encoded.replace(b"+", b" "))
    assert octets_from_percent(encoded) == expected
