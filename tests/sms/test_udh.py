"""User data headers: elements are read, concatenation is found, malformed ones are named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sms.udh import WHOLE, Concatenation, concatenation_from_udh, udh_from_hex
from pipeline.wire.callback import MoCallback
from pipeline.wire.smpp.callback import callback_from_deliver
from pipeline.wire.smpp.deliver import DeliverSm
from tests.support.golden_rows import golden_rows


def _read(text: str) -> Concatenation | None:
    udh = udh_from_hex(text)
    return None if udh is None else concatenation_from_udh(udh)


def _hex_of_row(given_in: dict) -> str:
    """The header with its length octet; some sources leave that octet to the PDU around it."""
    if "short_message" in given_in:
        text = given_in["short_message"].encode()
        deliver = DeliverSm(source="27821234567", destination="12345", short_message=text)
        callback = callback_from_deliver(deliver, alphabet="gsm7")
        assert isinstance(callback, MoCallback)
        assert callback.octets == text
        return callback.udh
    if "build" in given_in:
        build = given_in["build"]
        return bytes((5, 0, 3, build["ref"], build["total"], build["seq"])).hex()
    elements = given_in["udh_hex"]
    if given_in["includes_udhl"] or not elements:
        return elements
    return f"{len(elements) // 2:02x}{elements}"


@pytest.mark.parametrize("row", golden_rows("udh_parse"))
def test_golden_header(row):
    if row["id"] == "udh-028":  # on the wire this header has no length octet: taken as it is
        found = _read(row["input"]["udh_hex"])
    else:
        found = _read(_hex_of_row(row["input"]))
    if row.get("ours", {}).get("malformed"):
        assert found is None
        return
    concat = row["expected"]["concat"]
    if concat is None:
        assert found == WHOLE
    else:
        assert found == Concatenation(
            concat["ref_bits"], concat["ref"], concat["total"], concat["seq"]
        )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("050003330202", Concatenation(8, 0x33, 2, 2), id="G8.3-example"),
        pytest.param("05 00 03 33 02 01", Concatenation(8, 0x33, 2, 1), id="blanks"),
        pytest.param(" 0 50003fF0201\t", Concatenation(8, 0xFF, 2, 1), id="blanks-anywhere-cases"),
        pytest.param("", WHOLE, id="bare-udh-is-no-udh"),
        pytest.param("  ", WHOLE, id="only-blanks"),
        pytest.param("00", WHOLE, id="header-of-length-0"),
        pytest.param("06 05 04 0B84 23F0", WHOLE, id="ports-alone"),
        pytest.param("060500030a0302", None, id="length-of-the-header-too-long"),
        pytest.param("050003 0a0302 00", None, id="octets-after-the-header"),
        pytest.param("050003 0a0302 7000", None, id="an-element-after-the-header"),
        pytest.param("050003330003", None, id="total-0"),
        pytest.param("050003330200", None, id="number-0"),
        pytest.param("050003330203", None, id="number-above-total"),
        pytest.param("0400023302", None, id="element-00-of-length-2"),
        pytest.param("0600040033 0201", None, id="element-00-of-length-4"),
        pytest.param("0508030002 01", None, id="element-08-of-length-3"),
        pytest.param("0100", None, id="element-without-its-length"),
        pytest.param("0370050b", None, id="element-cut-short"),
        pytest.param("05000333020", None, id="half-an-octet"),
        pytest.param("%05%00", None, id="not-hex"),
        pytest.param("\u0660\u0665", None, id="digits-of-another-script"),
        pytest.param(
            "0B 0003010201 08041234 0302", Concatenation(16, 0x1234, 3, 2), id="of-two-the-last-16"
        ),
        pytest.param(
            "0B 080412340302 0003010201", Concatenation(8, 1, 2, 1), id="of-two-the-last-8"
        ),
        pytest.param(
            "0A 0003010200 0003020201", Concatenation(8, 2, 2, 1), id="the-first-of-two-is-ignored"
        ),
        pytest.param("0A 0003020201 0003010200", None, id="the-last-of-two-is-judged"),
        pytest.param(
            "0C 240107 0003050302 25020102",
            Concatenation(8, 5, 3, 2),
            id="between-language-elements",
        ),
    ],
)
def test_a_header_is_read_by_its_elements(text, expected):
    assert _read(text) == expected


elements = st.tuples(
    st.integers(1, 255).filter(lambda element: element != 8), st.binary(max_size=20)
).map(lambda pair: bytes((pair[0], len(pair[1]))) + pair[1])


@given(
    st.lists(elements, max_size=4),
    st.lists(elements, max_size=4),
    st.integers(0, 0xFFFF),
    st.integers(1, 255).flatmap(lambda total: st.tuples(st.just(total), st.integers(1, total))),
    st.booleans(),
)
def test_concatenation_is_found_among_any_elements(before, after, reference, place, is_wide):
    total, number = place
    if is_wide:
        element = bytes((8, 4)) + reference.to_bytes(2, "big") + bytes((total, number))
        expected = Concatenation(16, reference, total, number)
    else:
        element = bytes((0, 3, reference & 0xFF, total, number))
        expected = Concatenation(8, reference & 0xFF, total, number)
    body = b"".join([*before, element, *after])
    assert concatenation_from_udh(bytes((len(body),)) + body) == expected


@given(st.binary(max_size=300))
def test_no_octets_break_the_walk_and_what_is_found_can_be_joined(udh):
    found = concatenation_from_udh(udh)
    assert found is None or 1 <= found.number <= found.total <= 255


@given(st.text())
def test_no_text_breaks_the_hex(text):
    assert udh_from_hex(text) is None or bytes.fromhex("".join(text.split())) == udh_from_hex(text)
