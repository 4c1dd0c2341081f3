"""What a caller who may not see all may ask for: no filter tells what a mask hides.

Who sees no handsets names one by its seal. Who sees no texts cannot look for one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipeline.store.report.lists.filters import BadFilter
from pipeline.store.report.masking.seal import MARK, NotSealed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.store.report.masking.seal import Seal
    from pipeline.store.report.masking.sight import Sight

#: Parameters that name neither a person nor a text. Any other has to be a seal.
_PLAIN: Final = frozenset({
    "since", "until", "at", "first_at", "last_at", "cursor_at", "as_of", "number", "first", "last",
    "stretch_from", "stretch_to", "times", "record", "api_id", "account", "way", "flag", "purpose",
    "rule", "state", "code", "consent", "direction", "complete", "suppression", "path", "zone",
    "now", "number_first", "number_last", "scope", "reason", "stage", "source", "outcome",
    "released", "name", "month",
})  # fmt: skip
_TEXTS: Final = frozenset({"text", "keyword"})
#: Words of people: digits are taken out of them, so they cannot be looked for either.
_SAID: Final = frozenset({"actor"})
_HANDSETS: Final = frozenset({"handset", "whose"})
_OF_ADDRESS: Final = frozenset({"handset", "text", "keyword", "id"})


def opened_parameters(given: Mapping[str, Any], sight: Sight, seal: Seal) -> dict[str, Any]:
    """Parameters of a statement with what their seals hold; raises `BadFilter`."""
    return {name: _opened(name, value, sight, seal) for name, value in given.items()}


def opened_query(query: Mapping[str, str], sight: Sight, seal: Seal) -> dict[str, str]:
    """Parameters of an address; who may see what a seal holds has it opened. Raises `BadFilter`."""
    found = dict(query)
    for name in _OF_ADDRESS & query.keys():
        opened = _opened(name, query[name], sight, seal)
        if sight.is_full or (name == "handset" and sight.numbers):
            found[name] = opened
    return found


def _opened(name: str, value: Any, sight: Sight, seal: Seal) -> Any:
    if isinstance(value, list | tuple):
        return [_opened(name, each, sight, seal) for each in value]
    if not isinstance(value, str) or not value or name in _PLAIN:
        return value
    if name in _SAID:
        return value if sight.numbers else without_digits(name, value)
    if name in _TEXTS and not sight.is_full:
        return checked_text(name, value, sight)
    if value.startswith(MARK):
        try:
            return seal.unsealed(value)
        except NotSealed:
            pass
    if sight.is_full or (name in _HANDSETS and sight.numbers):
        return value
    if name in _HANDSETS:
        raise BadFilter("without the right to see numbers a handset is named as a list shows it")
    raise BadFilter("without the right to see all, an id is named as a list shows it")


def checked_text(name: str, value: str, sight: Sight) -> str:
    """A text that the caller may look for; raises `BadFilter`.

    Digits within texts are masked, so they cannot be looked for either.
    """
    if value and not sight.texts:
        raise BadFilter(f"the filter {name} needs the right to see texts")
    return value if sight.numbers else without_digits(name, value)


def without_digits(name: str, value: str) -> str:
    """A value without digits; raises `BadFilter` where it has some."""
    if any(each.isdigit() or each.isnumeric() for each in value):
        raise BadFilter(f"the filter {name} takes no digits without the right to see numbers")
    return value
