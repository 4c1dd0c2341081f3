"""The gateway's statement against our ledger: what is written with few decimals, twice, or not."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli.account.comparing import (
    Comparison,
    Mismatch,
    OurCharge,
    agrees,
    compare,
    written_forms,
)
from pipeline.cli.account.gateway_csv import GatewayLine
from pipeline.credits import UNITS_PER_CREDIT
from tests.support.account_records import CREDIT, NUMBER, THIRD, minutes

SINCE, UNTIL = minutes(-60), minutes(6000)


def line(number: int, **given_fields: Any) -> GatewayLine:
    fields: dict[str, Any] = {
        "line": number, "id": f"A{number}", "command_id": "", "at": minutes(number), "kind": "mo",
        "amount": Fraction(1, 3), "places": -1, "number": NUMBER,
    }  # fmt: skip
    return GatewayLine(**fields | given_fields)


def charge(number: int, **given_fields: Any) -> OurCharge:
    fields: dict[str, Any] = {
        "reference": f"m{number}", "kind": "mo", "at": minutes(number), "number": NUMBER,
        "units": THIRD, "ids": (f"a{number}",),
    }  # fmt: skip
    return OurCharge(**fields | given_fields)


def compared(lines: list[GatewayLine], charges: list[OurCharge]) -> Comparison:
    return compare(lines, charges, since=SINCE, until=UNTIL)


def sides(found: Comparison) -> list[Mismatch]:
    return [each.side for each in found.differences]


@pytest.mark.parametrize(
    ("amount", "places", "units", "does"),
    [
        ("0.333333", 6, THIRD, True),
        ("0.33", 2, THIRD, True),
        ("0.34", 2, THIRD, True),
        ("0.32", 2, THIRD, False),
        ("0.35", 2, THIRD, False),
        ("0.3", 1, THIRD, False),  # 0.3 is a price of its own
        ("0", 0, THIRD, False),
        ("1", 0, THIRD, False),
        ("0.300000", 6, CREDIT * 3 // 10, True),
        ("0.300001", 6, CREDIT * 3 // 10, False),
        ("0.666667", 6, 2 * THIRD, True),
        ("1", 0, CREDIT, True),
        ("1.01", 2, CREDIT, False),
    ],
)
def test_a_charge_agrees_as_far_as_it_was_written(
    amount: str, places: int, units: int, does: bool
) -> None:
    found = [line(1, amount=Fraction(amount), places=places)]
    is_exact = Fraction(units, UNITS_PER_CREDIT) == Fraction(amount)
    assert agrees(found, units) is (does or is_exact)


def test_parts_that_are_charged_by_themselves_make_one_message() -> None:
    two = charge(1, ids=("p1", "p2"), units=2 * THIRD)
    lines = [line(1, id="P1"), line(2, id="p2")]
    found = compared(lines, [two])
    assert (found.agreed, found.differences) == (1, [])


def test_what_is_charged_twice_is_shown_with_both() -> None:
    found = compared([line(1), line(2, id="A1")], [charge(1)])
    (each,) = found.differences
    assert (each.side, each.theirs, each.ours) == (Mismatch.DIFFERS, Fraction(2, 3), THIRD)
    assert each.words == "they charge it more than once"


def test_an_id_of_the_other_kind_is_another_message() -> None:
    found = compared([line(1, kind="mt")], [charge(1)])
    assert sides(found) == [Mismatch.OURS, Mismatch.THEIRS]


def test_a_command_is_found_by_our_own_id_in_climsgid() -> None:
    command = charge(1, kind="mt", reference="0" * 32, ids=(), units=CREDIT)
    found = compared(
        [line(1, id="X", command_id="0" * 32, kind="mt", amount=Fraction(1))], [command]
    )
    assert (found.agreed, found.differences) == (1, [])


def test_what_has_no_id_of_the_gateways_is_found_by_time_and_cost() -> None:
    """A confirmation of the gateway's, or a message whose handset was forgotten."""
    confirmation = charge(5, kind="gateway-confirmation", ids=(), units=CREDIT)
    near = line(1, id="X", kind="mt", at=minutes(9), amount=Fraction(1))
    far = line(2, id="Y", kind="mt", at=minutes(50), amount=Fraction(1))
    found = compared([near, far], [confirmation])
    assert found.agreed == 1
    assert [each.id for each in found.differences] == ["Y"]


def test_what_is_held_is_missed_by_nobody() -> None:
    found = compared([], [charge(1, is_held=True), charge(2, is_held=True, ids=())])
    assert found.differences == []


def test_charges_beyond_the_edges_are_found_and_not_missed() -> None:
    before = charge(1, at=SINCE - timedelta(hours=2))
    unseen = charge(2, at=UNTIL + timedelta(hours=2))
    found = compared([line(1)], [before, unseen])
    assert (found.agreed, found.differences) == (1, [])


def test_top_ups_of_the_gateways_are_no_messages() -> None:
    found = compared([line(1, kind="other", id="", amount=Fraction(500))], [])
    assert (found.theirs, found.differences) == (0, [])


NUMBERS = st.lists(st.integers(0, 40), unique=True, max_size=25)


@given(theirs=NUMBERS, ours=NUMBERS, data=st.data())
def test_every_message_of_either_side_is_counted_once(
    theirs: list[int], ours: list[int], data: st.DataObject
) -> None:
    """A second implementation: sets."""
    lines = [line(number) for number in data.draw(st.permutations(theirs))]
    charges = [charge(number) for number in data.draw(st.permutations(ours))]
    found = compared(lines, charges)
    both = set(theirs) & set(ours)
    assert found.agreed == len(both)
    by_side = {
        side: {each.id.lower() for each in found.differences if each.side is side}
        for side in Mismatch
    }
    assert by_side[Mismatch.THEIRS] == {f"a{number}" for number in set(theirs) - both}
    assert by_side[Mismatch.OURS] == {f"a{number}" for number in set(ours) - both}
    assert by_side[Mismatch.DIFFERS] == set()
    assert found.theirs == Fraction(len(theirs), 3)
    assert found.ours == len(ours) * THIRD


@given(st.integers(0, 10**6 * UNITS_PER_CREDIT), st.integers(2, 9), st.booleans())
def test_a_cost_agrees_with_each_way_of_writing_it(units: int, places: int, up: bool) -> None:
    scaled = Fraction(units, UNITS_PER_CREDIT) * 10**places
    written = Fraction(-(-scaled // 1) if up else scaled // 1, 10**places)
    assert written in written_forms(units)
    assert agrees([line(1, amount=written, places=places)], units)
    assert not agrees([line(1, amount=written + Fraction(2, 10**places), places=places)], units)
