"""What the report answers: a method and a path, what they need, and which parameters they know."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from pipeline.store.report.caller import Caller, Right
from pipeline.store.report.lists.filters import BadFilter

if TYPE_CHECKING:
    from aiohttp import web


class PageRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was let in: who asks, for what, and a form's fields where it has any."""

    request: Any  # aiohttp's
    caller: Caller
    query: Mapping[str, str]
    fields: Mapping[str, str] = msgspec.field(default_factory=dict)
    root: str = ""  # the way back to the first page, such as "../"


RouteAnswer = Callable[[PageRequest], Awaitable["web.StreamResponse"]]


class ReportRoute(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to ask for. Parameters that it does not know are refused."""

    method: str
    path: str
    answer: RouteAnswer
    needs: frozenset[Right] = frozenset()
    parameters: frozenset[str] = frozenset()
    has_form: bool = False

    def query_of(self, request: web.BaseRequest) -> dict[str, str]:
        """The parameters of the request, blanks taken off; raises `BadFilter`.

        A parameter that is not known would be left out of account in silence, and the rows shown
        would not be those that were asked for.
        """
        found: dict[str, str] = {}
        for name, value in request.query.items():
            if name not in self.parameters:
                known = ", ".join(sorted(self.parameters)) or "none"
                raise BadFilter(f"the parameter {name[:64]!r} is not known here; known: {known}")
            if name in found and found[name] != value.strip():
                raise BadFilter(f"the parameter {name} is given twice")
            found[name] = value.strip()
        return {name: value for name, value in found.items() if value}
