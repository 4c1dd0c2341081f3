"""What commands ask of a stand-in that runs: send what a handset sends, and switch a fault."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from pipeline.gateway.page.guard import refuse
from pipeline.gateway.settings import MoWay
from pipeline.web.access import is_loopback_host

if TYPE_CHECKING:
    from pipeline.gateway.ground import Ground

_DIGITS: Final = re.compile("[0-9]{1,20}")


class Control:
    """Under `/_/`; pages of other sites are refused."""

    def __init__(self, gateway: Ground) -> None:
        self._gateway = gateway

    def add_to(self, app: web.Application) -> None:
        """Add the paths."""
        app.router.add_post("/_/text", self._text)
        app.router.add_put("/_/faults/{name}", self._fault)

    async def _text(self, request: web.Request) -> web.Response:
        self._check(request)
        try:
            given = json.loads(await request.read())
            ids = await self._gateway.text(
                _digits(given["handset"]),
                _digits(given["number"]),
                str(given["text"]),
                given.get("charset"),
                [MoWay(way) for way in given.get("ways", ())],
            )
        except (TypeError, LookupError, ValueError, RecursionError) as error:
            raise web.HTTPBadRequest(text=f"this cannot be texted: {error}") from error
        return web.json_response({"ids": ids})

    async def _fault(self, request: web.Request) -> web.Response:
        self._check(request)
        try:
            fault = self._gateway.all_faults.named(request.match_info["name"])
        except KeyError as error:
            raise web.HTTPNotFound(text="no such fault") from error
        fault.switch(on=(await request.text()).strip() == "on")
        return web.json_response({"name": fault.name, "is_on": fault.is_on})

    def _check(self, request: web.Request) -> None:
        """Let in whom the page lets in, and no page of another site."""
        refused = refuse(request, is_open=not is_loopback_host(self._gateway.settings.host))
        if refused is not None:
            raise web.HTTPForbidden(text=refused.words)


def _digits(given: Any) -> str:
    if not isinstance(given, str) or not _DIGITS.fullmatch(given):
        raise ValueError("a handset or a number is digits")
    return given
