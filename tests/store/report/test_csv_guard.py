"""The guard of CSV finds a formula behind any first character."""

from __future__ import annotations

import sys
import unicodedata
from functools import partial
from typing import TYPE_CHECKING

from pipeline.store.report.export.csv_form import cell_from_value
from tests.hostile.growth import refuse_steep_growth

if TYPE_CHECKING:
    from collections.abc import Callable

#: DerivedCoreProperties.txt of Unicode 15.1, Default_Ignorable_Code_Point.
DEFAULT_IGNORABLE = [
    (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5),
    (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164),
    (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
]  # fmt: skip


def test_a_formula_behind_any_character_that_is_not_seen_is_text() -> None:
    unseen = {point for first, last in DEFAULT_IGNORABLE for point in range(first, last + 1)}
    unseen |= {
        point
        for point in range(sys.maxunicode + 1)
        if unicodedata.category(chr(point)) in ("Cf", "Cc", "Zs", "Zl", "Zp")
    }
    passed = [hex(point) for point in unseen if "'" not in str(cell_from_value(f"{chr(point)}=1"))]
    assert passed == []


def test_the_guard_takes_time_by_the_length_of_the_text() -> None:
    for piece in (";", " ", "\u200b", ";=", "\t", "="):

        def work(size: int, piece: str = piece) -> Callable[[], object]:
            return partial(cell_from_value, piece * (size // len(piece)))

        refuse_steep_growth(work, largest=1 << 20)
