"""Treats the few texts of a column that need care. The others stay in their column as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable


def with_care(texts: Any, *, harmless: bytes, asks: str, treat: Callable[[str], str]) -> Any:
    """The column, with `treat(text)` in place of each text that matches the pattern `asks` (RE2).

    A column that has none but `harmless` octets is not searched text by text.
    """
    octets = joined_octets(texts)
    if not octets.translate(None, harmless):
        return texts
    return treated(texts, pc.match_substring_regex(texts, asks), treat)


def treated(texts: Any, mask: Any, treat: Callable[[str], str]) -> Any:
    """The column, with `treat(text)` in place of each text of the mask."""
    if not mask.true_count:
        return texts
    found = [treat(text) for text in texts.filter(mask).to_pylist()]
    return pc.replace_with_mask(texts, mask, pa.array(found, pa.string()))


def joined_octets(texts: Any) -> bytes:
    """All texts of a column, one behind the other, in UTF-8."""
    held = texts.buffers()[2]
    if held is None or not len(texts):
        return b""
    first, last = _offset(texts, texts.offset), _offset(texts, texts.offset + len(texts))
    return bytes(held[first:last])


def plain_texts(column: Any) -> Any:
    """A column of texts, in which nothing is missing: lists become their texts with blanks."""
    if pa.types.is_list(column.type):
        column = pc.binary_join(column, " ")
    return pc.fill_null(pc.cast(column, pa.string()), "")


def _offset(texts: Any, at: int) -> int:
    held = memoryview(texts.buffers()[1]).cast("i")
    return held[at]
