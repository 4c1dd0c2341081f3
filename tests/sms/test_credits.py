"""Credits as units of 1/3,000,000, against exact fractions."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.credits import (
    MOST_UNITS,
    MOST_UNITS_AT_ONCE,
    UNITS_PER_CREDIT,
    AmountError,
    amount_from_units,
    units_from_amount,
    units_from_text,
)

DIGITS = st.text("0123456789", max_size=24)


def fraction_from(text: str) -> Fraction | None:
    """The standard library's reading of a decimal number, which takes `1/3` as well."""
    try:
        return Fraction(text)
    except ValueError:
        return None


@given(whole=DIGITS, fraction=DIGITS, dot=st.booleans(), exponent=st.integers(-99, 99) | st.none())
def test_units_are_exact_or_none(
    whole: str, fraction: str, dot: bool, exponent: int | None
) -> None:
    text = whole + ("." + fraction if dot else "") + ("" if exponent is None else f"e{exponent}")
    exact = fraction_from(text)
    if exact is not None and (exact * UNITS_PER_CREDIT).denominator == 1:
        units = int(exact * UNITS_PER_CREDIT)
        assert units_from_text(text) == (units if units <= MOST_UNITS else None)
    else:
        assert units_from_text(text) is None


@given(units=st.integers(0, MOST_UNITS))
def test_six_decimals_are_always_exact(units: int) -> None:
    millionths = units // 3
    text = f"{millionths // 10**6}.{millionths % 10**6:06}"
    assert units_from_text(text) == millionths * 3


@given(text=st.text(max_size=30))
def test_what_is_no_decimal_number_is_no_amount(text: str) -> None:
    if units_from_text(text) is not None:
        assert Fraction(text.strip()) * UNITS_PER_CREDIT == units_from_text(text)


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("0.300000", 900_000),  # the example of the HTTP API 2.3.8
        ("0.32", 960_000),
        ("0.33", 990_000),
        ("1.5", 4_500_000),
        ("+1", 3_000_000),
        ("0", 0),
        (".5", 1_500_000),
        ("3.0E-1", 900_000),
        ("3.0000000", 9_000_000),
        ("0.0000005", None),  # one and a half units
        ("-0.3", None),
        ("1/3", None),
        ("0,3", None),
        ("NaN", None),
        ("inf", None),
        ("", None),
        (".", None),
        ("e1", None),
        ("1e99", None),
        ("1_000", None),
        ("٣", None),
        ("9" * 30, None),
        ("3074457345618", 9_223_372_036_854_000_000),
        ("3074457345619", None),  # beyond 64 bits
    ],
)
def test_an_amount_has_just_these_units(text: str, units: int | None) -> None:
    assert units_from_text(text) == units


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("1/3", 1_000_000),  # the standard charge of an inbound message (G9)
        ("0.3", 900_000),
        ("1", 3_000_000),
        ("4 1/3", 13_000_000),
        ("13/3", 13_000_000),
        ("0.000001", 3),
        ("1/3000000", 1),
        (" 2 ", 6_000_000),
        ("-1/3", -1_000_000),
        ("0", 0),
        ("1000000000", MOST_UNITS_AT_ONCE),
    ],
)
def test_what_an_operator_writes_has_just_these_units(text: str, units: int) -> None:
    assert units_from_amount(text) == units


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0.33333333", "is no multiple of 1/3,000,000 credit"),
        ("1/7", "is no multiple of 1/3,000,000 credit"),
        ("1/3000001", "is no multiple of 1/3,000,000 credit"),
        ("1000000000.1", "is more than 1,000,000,000 credits"),
        ("9" * 24, "is more than 1,000,000,000 credits"),
        ("1/0", "divides by zero"),
        ("", "is no number of credits"),
        ("1/", "is no number of credits"),
        (".5", "is no number of credits"),
        ("1,5", "is no number of credits"),
        ("1e3", "is no number of credits"),
        ("--1", "is no number of credits"),
        ("1/-3", "is no number of credits"),
        ("NaN", "is no number of credits"),
        ("\u0663", "is no number of credits"),
        ("9" * 25, "is no number of credits"),
    ],
)
def test_what_is_no_exact_amount_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(AmountError, match=words):
        units_from_amount(text)


@given(units=st.integers(-MOST_UNITS_AT_ONCE, MOST_UNITS_AT_ONCE))
def test_an_amount_is_read_as_it_was_written(units: int) -> None:
    text = amount_from_units(units)
    assert units_from_amount(text) == units
    assert sum(map(Fraction, text.removeprefix("-").split())) * UNITS_PER_CREDIT == abs(units)


@given(above=st.integers(0, 10**12), below=st.integers(1, 10**8))
def test_a_fraction_is_exact_or_refused(above: int, below: int) -> None:
    exact = Fraction(above, below) * UNITS_PER_CREDIT
    if exact.denominator == 1 and exact <= MOST_UNITS_AT_ONCE:
        assert units_from_amount(f"{above}/{below}") == exact
    else:
        with pytest.raises(AmountError):
            units_from_amount(f"{above}/{below}")
