"""What commands ask of a stand-in that runs: send what a handset sends, and switch a fault."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aiohttp import web

from pipeline.gateway.settings import MoWay
from pipeline.web.browser_guard import refuse_host, refuse_page

if TYPE_CHECKING:
    from pipeline.gateway.ground import Ground


class Control:
    """Under `/_/`; pages of other sites are refused."""

    def __init__(self, gateway: Ground) -> None:
        self._gateway = gateway

    def add_to(self, app: web.Application) -> None:
        """Add the paths."""
        app.router.add_post("/_/text", self._text)
        app.router.add_put("/_/faults/{name}", self._fault)

    async def _text(self, request: web.Request) -> web.Response:
        if not _is_ours(request):
            raise web.HTTPForbidden
        try:
            given = json.loads(await request.read())
            ids = await self._gateway.text(
                str(given["handset"]),
                str(given["number"]),
                str(given["text"]),
                given.get("charset"),
                [MoWay(way) for way in given.get("ways", ())],
            )
        except (KeyError, TypeError, LookupError, ValueError) as error:
            raise web.HTTPBadRequest(text=f"this cannot be texted: {error}") from error
        return web.json_response({"ids": ids})

    async def _fault(self, request: web.Request) -> web.Response:
        if not _is_ours(request):
            raise web.HTTPForbidden
        try:
            fault = self._gateway.all_faults.named(request.match_info["name"])
        except KeyError as error:
            raise web.HTTPNotFound(text="no such fault") from error
        fault.switch(on=(await request.text()).strip() == "on")
        return web.json_response({"name": fault.name, "is_on": fault.is_on})


def _is_ours(request: web.Request) -> bool:
    """Whether no page of another site asks, by whatever name it calls this machine."""
    host, origin = (request.headers.get(name, "").encode() for name in ("Host", "Origin"))
    site = request.headers.get("Sec-Fetch-Site", "").encode()
    if refuse_host(host, known=frozenset()) is not None:
        return False
    return refuse_page(host=host, origin=origin, fetch_site=site) is None
