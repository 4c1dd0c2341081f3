"""The paths under `/_/`, by which commands text as a handset and switch faults."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from pipeline.gateway.faults.reading import LARGEST, UnusableFaults, rules_from
from pipeline.gateway.page.guard import refuse
from pipeline.gateway.settings import MoWay
from pipeline.web.access import is_loopback_host

if TYPE_CHECKING:
    from pipeline.gateway.ground import Ground

_DIGITS: Final = re.compile("[0-9]{1,20}")


class Control:
    """Answers the requests under `/_/`."""

    def __init__(self, gateway: Ground) -> None:
        self._gateway = gateway

    def add_to(self, app: web.Application) -> None:
        """Add the routes to the HTTP application."""
        app.router.add_post("/_/text", self._text)
        app.router.add_get("/_/faults", self._rules)
        app.router.add_put("/_/faults", self._use_rules)
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
            raise web.HTTPBadRequest(text=f"the message cannot be sent: {error}") from error
        return web.json_response({"ids": ids})

    async def _rules(self, request: web.Request) -> web.Response:
        """Answer with the rules in use and the faults that are switched on."""
        self._check(request)
        return self._faults()

    async def _use_rules(self, request: web.Request) -> web.Response:
        """Replace the rules in use by those of the body, which is written as `faults.toml`."""
        self._check(request)
        octets = await request.read()
        try:
            if len(octets) > LARGEST:
                raise UnusableFaults(f"the body has more than {LARGEST:,} octets")
            rules = rules_from(octets.decode(), origin="body")
        except (UnusableFaults, UnicodeDecodeError) as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from error
        self._gateway.all_faults.use(rules)
        return self._faults()

    async def _fault(self, request: web.Request) -> web.Response:
        self._check(request)
        try:
            fault = self._gateway.all_faults.named(request.match_info["name"])
        except KeyError as error:
            raise web.HTTPNotFound(text="there is no such fault\n") from error
        words = (await request.text()).strip()
        if words not in ("on", "off"):
            raise web.HTTPBadRequest(text="the body must be on or off\n")
        fault.switch(on=words == "on")
        return web.json_response({"name": fault.name, "is_on": fault.is_on})

    def _check(self, request: web.Request) -> None:
        """Refuse whom the page refuses: proxies, and other machines if the host is loopback."""
        refused = refuse(request, is_open=not is_loopback_host(self._gateway.settings.host))
        if refused is not None:
            raise web.HTTPForbidden(text=f"{refused.words}\n")

    def _faults(self) -> web.Response:
        faults = self._gateway.all_faults
        rules = [
            {"do": rule.name, "way": rule.way, "handset": rule.handset, "nth": rule.nth}
            for rule in faults.rules
        ]
        return web.json_response(
            {"rules": rules, "on": [fault.name for fault in faults.all if fault.is_on]}
        )


def _digits(given: Any) -> str:
    if not isinstance(given, str) or not _DIGITS.fullmatch(given):
        raise ValueError("handset and number must be strings of 1 to 20 digits")
    return given
