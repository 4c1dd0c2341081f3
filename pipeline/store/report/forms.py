"""Forms of ours: what they hold, and that no page of another site made them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from pipeline.store.report.lists.filters import BadFilter

if TYPE_CHECKING:
    from aiohttp import web

    from pipeline.store.report.caller import Caller
    from pipeline.store.report.who.guard import Guard

#: By this header a program that has a session shows the token of a form.
TOKEN_HEADER: Final = "X-Form-Token"  # noqa: S105  a name, and no token
_FORM_OCTETS: Final = 16 << 10
_MOST_FIELDS: Final = 16
#: A password may begin or end with a blank.
_AS_GIVEN: Final = "password"
_OLD: Final = "the form is not of this page, or older than the store: reload it"


async def fields_of_form(request: web.BaseRequest, caller: Caller, guard: Guard) -> dict[str, str]:
    """The fields of a form of ours; raises `BadFilter` for any other."""
    body = await body_within(request, _FORM_OCTETS)
    if body is None or request.content_type != "application/x-www-form-urlencoded":
        raise BadFilter("this is no form of this page")
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise BadFilter("the form cannot be read") from error
    fields = {name: value if name == _AS_GIVEN else value.strip() for name, value in pairs}
    if not guard.is_own_form(caller, fields.pop("form_token", "")):
        raise BadFilter(_OLD)
    return fields


def refuse_other_sites(request: web.BaseRequest, caller: Caller, guard: Guard) -> None:
    """Raises `BadFilter` where a browser's session posts without what only our pages know."""
    if caller.session and not guard.is_own_form(caller, request.headers.get(TOKEN_HEADER, "")):
        raise BadFilter(f"a session posts with the header {TOKEN_HEADER}, as its forms have it")


async def body_within(request: web.BaseRequest, octets: int) -> bytes | None:
    """The body; None where it is longer."""
    body = b""
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > octets:
            return None
    return body
