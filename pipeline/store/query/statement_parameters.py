"""The values for `{name:Type}`: the statement must name each one, and none may be too deep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from pipeline.store.query.statement_text import Refused
from pipeline.store.query.statement_tokens import tokens_from_text

if TYPE_CHECKING:
    from collections.abc import Iterable

DEEPEST: Final = 8  # lists within lists


def parameters_for(statement: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters, each of which the statement must name.

    The driver would paste a parameter that is not named into the text. Raises `Refused`.
    """
    named = {
        token.text[1:].partition(":")[0].strip()
        for token in tokens_from_text(statement)
        if token.kind == "parameter"
    }
    for name, value in parameters.items():
        if name not in named:
            raise Refused(f"the statement has no parameter {{{name[:64]}:Type}}")
        _check_depth(name, value)
    return dict(parameters)


def _check_depth(name: str, value: Any) -> None:
    level: list[Any] = [value]
    for _ in range(DEEPEST):
        level = [inner for each in level for inner in _inner(each)]
        if not level:
            return
    raise Refused(f"the parameter {name} has lists within lists, more than {DEEPEST} deep")


def _inner(value: Any) -> Iterable[Any]:
    match value:
        case list():
            return value
        case Mapping():
            return list(value.values())
    return ()
