"""What each column of an answer holds, and what of it is shown to whom.

A column that is not named here is hidden from everybody who may not see all: a new one is masked
until somebody says what it holds.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pipeline.records import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.store.report.masking.seal import Seal
    from pipeline.store.report.masking.sight import Sight

HIDDEN: Final = "[hidden]"
NUMBER: Final = "[number]"
#: A handset as people write it: seven digits or more of any script, little between two of them.
_DIGITS: Final = re.compile(r"\d(?:[^\w\n]{0,3}\d){6,}")
_REASONS: Final = frozenset(map(str, Reason))

_HANDSETS: Final = frozenset({"handset", "to"})
#: Ids are hashes of the handset and its texts: whoever tries all handsets would find the right one.
_IDS: Final = frozenset({
    "id", "of_key", "message_id", "part_id", "part_ids", "mo_msg_id", "mo_msg_ids",
    "mo_message_id", "change_id", "command_id", "request_id", "rejection_id", "dead_letter_id",
    "retry_of", "delivery_id", "subject_id", "behind", "gateway_message_id",
    "gateway_message_ids",
})  # fmt: skip
#: What was written. The keyword of a message in is its first word.
_TEXTS: Final = frozenset({"text", "keyword"})
#: Octets in hex, and what else has both texts and handsets in it.
_OCTETS: Final = frozenset({"octets", "query", "udh", "key", "headers"})
#: What a peer, an operator or the code said of a message: it may quote the message.
_WORDS: Final = frozenset({"words", "detail", "reason"})
#: Words of people and peers on other things: only digits are taken out.
_SAID: Final = frozenset({
    "actor", "content_type", "method", "charset_given", "path", "status", "holder", "meaning",
})  # fmt: skip
_PLAIN: Final = frozenset({
    "record", "direction", "number", "sender_id", "api_id", "account", "way", "encoding", "charset",
    "flags", "purpose", "rule", "state", "gateway_state", "previous_state",
    "previous_gateway_state", "scope", "scope_kind", "code", "charge", "source", "stage", "topic",
    "outcome", "kind", "action", "day", "network_id", "whole_sha256", "stops", "kept",
    "digest", "numbers", "sender_ids", "reply_paths", "view", "name", "type",
})  # fmt: skip
_TIME: Final = "_iso"  # a time as text


def masked_rows(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], sight: Sight, seal: Seal
) -> list[tuple[Any, ...]]:
    """The rows as they are seen."""
    masks = [_mask_of(column, sight, seal) for column in columns]
    return [
        tuple(
            value if mask is None else mask(value) for mask, value in zip(masks, row, strict=True)
        )
        for row in rows
    ]


def _mask_of(column: str, sight: Sight, seal: Seal) -> Callable[[Any], Any] | None:
    """How a column is masked; None: it is not."""
    if column in _PLAIN or column.endswith(_TIME) or sight.is_full:
        return None
    if column in _HANDSETS:
        return None if sight.numbers else _each(seal.sealed)
    if column in _IDS:
        return _each(seal.sealed)
    if column in _SAID:
        return None if sight.numbers else _each(without_numbers)
    if column in _TEXTS:
        return _each(without_numbers) if sight.texts else _each(_hidden)
    if column in _WORDS:
        return _each(without_numbers) if sight.texts else _each(_code)
    return _each(_nothing if column in _OCTETS else _hidden)


def _each(mask: Callable[[str], str]) -> Callable[[Any], Any]:
    """The mask over words alone, and over those in lists; what is no word tells nothing."""

    def masked(value: Any) -> Any:
        match value:
            case "" | None | bool() | int() | float():
                return value
            case str():
                return mask(value)
            case bytes():
                return b""
            case list() | tuple():
                return type(value)(masked(each) for each in value)
            case dict():
                return {name: masked(each) for name, each in value.items()}
        return value if hasattr(value, "isoformat") else mask(str(value))

    return masked


def without_numbers(words: str) -> str:
    """Words without what may be somebody's number."""
    return _DIGITS.sub(NUMBER, words)


def _hidden(_: str) -> str:
    return HIDDEN


def _nothing(_: str) -> str:
    return ""


def _code(words: str) -> str:
    """A code of ours is shown, free words are not."""
    return words if words in _REASONS else HIDDEN
