"""Addresses: digits where they are a number, otherwise as given."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sms.msisdn import address_from_text, is_digits, key_from_handset


@pytest.mark.parametrize(
    ("text", "address", "digits"),
    [
        pytest.param("279991235642", "279991235642", True, id="G8.3.1"),
        pytest.param("+250788123123", "250788123123", True, id="plus"),
        pytest.param(" 250788123123", "250788123123", True, id="a-blank-there-is-a-plus"),
        pytest.param(" +250788123123 ", "250788123123", True, id="blank-and-plus"),
        pytest.param("12345", "12345", True, id="short-code"),
        pytest.param("0821234567", "0821234567", True, id="national-stays"),
        pytest.param("0027821234567", "0027821234567", True, id="no-prefix-is-cut-but-the-plus"),
        pytest.param("++27821234567", "++27821234567", False, id="one-plus-only"),
        pytest.param("27 82 123", "27 82 123", False, id="blanks-inside"),
        pytest.param(" MTN ", "MTN", False, id="alphanumeric-is-trimmed"),
        pytest.param("+MTN", "+MTN", False, id="alphanumeric-keeps-its-plus"),
        pytest.param("+", "+", False, id="plus-alone"),
        pytest.param("٠٨٢", "٠٨٢", False, id="digits-of-another-script"),
        pytest.param("", "", False, id="empty"),
    ],
)
def test_an_address_is_its_digits_or_stands_as_given(text, address, digits):
    assert address_from_text(text) == address
    assert is_digits(address) == digits


@given(st.text())
def test_reading_an_address_again_changes_nothing(text):
    address = address_from_text(text)
    assert address_from_text(address) == address
    assert key_from_handset(address).decode() == address
