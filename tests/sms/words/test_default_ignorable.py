"""The Unicode property, over all code points, against a second implementation."""

import sys
import unicodedata

import regex

from pipeline.sms.words.default_ignorable import RANGES, without_ignorable

_PROPERTY = regex.compile(r"\p{Default_Ignorable_Code_Point}")


def test_the_ranges_are_the_property() -> None:
    listed = {point for first, last in RANGES for point in range(first, last + 1)}
    assert listed == {point for point in range(sys.maxunicode + 1) if _PROPERTY.match(chr(point))}


def test_each_of_them_is_dropped_and_no_other() -> None:
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    assert without_ignorable(everything) == _PROPERTY.sub("", everything)


def test_compatibility_folding_makes_none_that_was_not_there() -> None:
    for point in range(sys.maxunicode + 1):
        character = chr(point)
        folded = unicodedata.normalize("NFKC", character).casefold()
        assert _PROPERTY.match(character) or not _PROPERTY.search(folded), hex(point)
