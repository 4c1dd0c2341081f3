"""Texts as pieces: an invisible character has a name, and no character affects its neighbours."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.web.visible import LONGEST_OPEN, fold_long, legible, pieces_from_text

ANY_TEXT = st.text(st.characters(exclude_categories=[]))  # halves of surrogate pairs too


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("Hello", "Hello", id="as it is"),
        pytest.param("a\0b", "a[NUL]b", id="NUL"),
        pytest.param("\x1b[31m", "[ESC][31m", id="escape sequence"),
        pytest.param("\x9b31m", "[U+009B]31m", id="8-bit escape sequence"),
        pytest.param("one\r\ntwo\tx", "one[CR]\ntwo\tx", id="line ends and tabs stay"),
        pytest.param("\u202eabc\u202c", "[RLO]abc[PDF]", id="override (UAX 9 2.2)"),
        pytest.param("\u2066abc\u2069", "[LRI]abc[PDI]", id="isolate (UAX 9 2.4)"),
        pytest.param("\u200f(42)", "\u200f(42)", id="a mark stays (UAX 9 2.6)"),
        pytest.param("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469", id="joiner stays"),
        pytest.param("half \ud83d.", "half [U+D83D].", id="half a surrogate pair"),
        pytest.param("zero\u200bwidth\ufeff", "zero[ZWSP]width[BOM]", id="no width"),
        pytest.param("tag\U000e0041", "tag[U+E0041]", id="tag character"),
        pytest.param("\x7f", "[DEL]", id="delete"),
        pytest.param("", "", id="empty"),
    ],
)
def test_what_is_not_seen_has_a_name(text: str, shown: str) -> None:
    assert legible(text) == shown


@given(ANY_TEXT)
def test_no_piece_acts_on_a_page_or_a_terminal(text: str) -> None:
    shown = legible(text)
    shown.encode()  # raises for half of a surrogate pair
    for character in shown:
        assert character in "\n\t" or unicodedata.category(character) not in {"Cc", "Cs"}
        assert unicodedata.bidirectional(character) not in {
            "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI",
        }  # fmt: skip


@given(ANY_TEXT)
def test_all_that_is_shown_is_of_the_text(text: str) -> None:
    pieces = pieces_from_text(text)
    seen = "".join("\ufffc" if piece.is_odd else piece.text for piece in pieces)
    assert len(seen) == len(text)
    assert all(a in {b, "\ufffc"} for a, b in zip(seen, text, strict=True))


@given(st.text(min_size=LONGEST_OPEN - 4, max_size=LONGEST_OPEN + 40))
def test_a_fold_loses_nothing(text: str) -> None:
    assert "".join(fold_long(text)) == text


def test_a_fold_keeps_a_family_together() -> None:
    family = "\U0001f468\u200d\U0001f469"
    head, rest = fold_long("a" * (LONGEST_OPEN - 2) + family + "b")
    assert (head, rest) == ("a" * (LONGEST_OPEN - 2), family + "b")
