"""A text cut into the parts of a concatenated message (3GPP TS 23.040 9.2.3.24.1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sms.cutting import cut
from pipeline.sms.segmentation import GSM7, UCS2, segment
from tests.sms.test_segmentation import SEPTETS, parts_of


@pytest.mark.parametrize(
    ("text", "encoding", "lengths"),
    [
        ("", GSM7, [0]),
        ("x" * 160, GSM7, [160]),
        ("x" * 161, GSM7, [153, 8]),
        ("\u20ac" * 81, GSM7, [76, 5]),
        ("x" * 71, UCS2, [67, 4]),
        ("\U0001f600" * 36, UCS2, [33, 3]),
    ],
)
def test_cuts(text: str, encoding: str, lengths: list[int]) -> None:
    assert [len(part) for part in cut(text, encoding)] == lengths


@given(
    st.one_of(
        st.text(max_size=400), st.text(alphabet=st.sampled_from(sorted(SEPTETS)), max_size=700)
    )
)
def test_a_text_is_cut_as_it_was_counted(text: str) -> None:
    encoding, _, parts = segment(text)
    assert cut(text, encoding) == parts_of(text, encoding)
    assert len(cut(text, encoding)) == parts
    assert cut(text, UCS2) == parts_of(text, UCS2)
