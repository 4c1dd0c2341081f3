"""Look-ups in the number directory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.directory.directory import Directory
from tests.support.rented_numbers import (
    ANN,
    API_ID,
    DIRECTORY,
    ELSEWHERE,
    FIRST,
    INSIDE,
    LAST,
    SHARED,
    directory_from,
)


@pytest.mark.parametrize("digits", [FIRST, INSIDE, LAST])
def test_a_range_holds_its_numbers(digits: str) -> None:
    number = DIRECTORY.find(digits)
    assert number is not None
    assert (number.first, number.last) == (FIRST, LAST)
    assert DIRECTORY.scope_of(digits).scope_kind == "range"
    assert DIRECTORY.scope_of(digits).scope == f"{FIRST}-{LAST}"


@pytest.mark.parametrize(
    "digits",
    ["27600000099", "27600000200", "2760000015", "276000001500", "027600000150", "", "ACME"],
)
def test_what_is_not_listed_is_not_found(digits: str) -> None:
    assert DIRECTORY.find(digits) is None
    assert DIRECTORY.account_of(digits) == "main"
    assert (DIRECTORY.scope_of(digits).scope_kind, DIRECTORY.scope_of(digits).scope) == (
        "number",
        digits,
    )


def test_accounts_apis_and_keywords() -> None:
    assert DIRECTORY.account_of(ELSEWHERE) == "other"
    assert DIRECTORY.knows_api_id(API_ID)
    assert not DIRECTORY.knows_api_id("")
    assert not DIRECTORY.knows_api_id("9")
    assert DIRECTORY.number_of_api_id(API_ID) == DIRECTORY.find(ANN)
    assert DIRECTORY.number_of_api_id("") is None
    assert DIRECTORY.keywords_of(SHARED) == ("FUN", "GAME")
    assert DIRECTORY.keywords_of(ANN) == ()


def test_the_empty_directory_lists_nothing() -> None:
    empty = Directory.empty()
    assert empty.find(ANN) is None
    assert not empty.knows_api_id(API_ID)
    assert empty.account_of(ANN) == "main"


@given(
    bounds=st.lists(st.integers(0, 999), unique=True, min_size=2, max_size=20),
    asked=st.integers(0, 1999),
)
def test_of_many_ranges_the_one_that_holds_the_number_is_found(
    bounds: list[int], asked: int
) -> None:
    edges = sorted(bounds)[: len(bounds) // 2 * 2]
    ranges = list(zip(edges[::2], edges[1::2], strict=True))
    directory = directory_from(
        "".join(
            f'[[number]]\nkind = "tagged-range"\nfirst = "{first:03}"\nlast = "{last:03}"\n'
            for first, last in reversed(ranges)
        )
    )
    expected = next((f"{a:03}-{b:03}" for a, b in ranges if a <= asked <= b), f"{asked:03}")
    assert directory.scope_of(f"{asked:03}").scope == expected
