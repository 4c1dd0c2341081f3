"""The number of SMS that a text takes (3GPP TS 23.038, 23.040 9.2.3.24.1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sms.gsm7.default import BASIC, EXTENSION
from pipeline.sms.segmentation import GSM7, PART, SINGLE, UCS2, segment

SEPTETS = dict.fromkeys((c for c in BASIC if c != "\x1b"), 1) | dict.fromkeys(EXTENSION.values(), 2)


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts"),
    [
        ("", GSM7, 0, 1),
        ("x" * 160, GSM7, 160, 1),
        ("x" * 161, GSM7, 161, 2),
        ("x" * 306, GSM7, 306, 2),
        ("x" * 307, GSM7, 307, 3),
        ("\u20ac" * 80, GSM7, 160, 1),
        ("\u20ac" * 76 + "x" + "\u20ac", GSM7, 155, 1),
        ("\u20ac" * 152, GSM7, 304, 2),  # 76 in a part: the 153rd septet stays empty
        ("\u20ac" * 153, GSM7, 306, 3),
        ("\u0151" * 70, UCS2, 70, 1),
        ("\u0151" * 71, UCS2, 71, 2),
        ("\U0001f600" * 35, UCS2, 70, 1),
        ("\U0001f600" * 66, UCS2, 132, 2),  # 33 in a part: the 67th unit stays empty
        ("\U0001f600" * 67, UCS2, 134, 3),
        ("x" * 159 + "\t", UCS2, 160, 3),
    ],
)
def test_segments(text: str, encoding: str, units: int, parts: int) -> None:
    assert segment(text) == (encoding, units, parts)


def units_of(text: str, encoding: str) -> int:
    """The units of a text, counted one character at a time."""
    if encoding == GSM7:
        return sum(SEPTETS[c] for c in text)
    return len(text.encode("utf-16-be", "surrogatepass")) // 2


def parts_of(text: str, encoding: str) -> list[str]:
    """The texts of the parts, each with as many whole characters as fit."""
    if units_of(text, encoding) <= SINGLE[encoding]:
        return [text]
    parts = [""]
    for character in text:
        if units_of(parts[-1] + character, encoding) > PART[encoding]:
            parts.append("")
        parts[-1] += character
    return parts


@given(
    st.one_of(
        st.text(max_size=400), st.text(alphabet=st.sampled_from(sorted(SEPTETS)), max_size=700)
    )
)
def test_parts_join_to_the_text_and_each_holds_what_it_may(text: str) -> None:
    segmentation = segment(text)
    parts = parts_of(text, segmentation.encoding)
    assert len(parts) == segmentation.parts
    assert (segmentation.encoding == GSM7) == all(c in SEPTETS for c in text)
    assert segmentation.units == units_of(text, segmentation.encoding)
    limit = SINGLE if len(parts) == 1 else PART
    used = [units_of(part, segmentation.encoding) for part in parts]
    assert all(units <= limit[segmentation.encoding] for units in used)
    if len(parts) > 1:
        assert segmentation.units > SINGLE[segmentation.encoding]
        for units, following in zip(used, parts[1:], strict=False):
            assert (
                units + units_of(following[0], segmentation.encoding) > limit[segmentation.encoding]
            )
