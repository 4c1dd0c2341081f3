"""The gateway's HTTP, XML and SOAP APIs, on one port."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree  # what is parsed is our own

from aiohttp import web

from pipeline.sender.apis.api import WayName
from tests.chaos.sending.gateway.till import Message
from tests.chaos.sending.places import TIMEOUT_SECONDS
from tests.sender.ways.counterpart import line_as

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.chaos.sending.gateway.statuses import Statuses
    from tests.chaos.sending.gateway.till import Till

SESSION = "5e6a5e4b7ac6e8f4bd0a0a1b2c3d4e5f"
FEWER = "ERR: 130, Maximum MT limit exceeded until {until}"
WRONG = "ERR: 105, Invalid Destination Address"


def application(till: Till, statuses: Statuses) -> web.Application:
    """The application that serves the APIs and takes the address of ingest from the run."""
    served = Served(till)

    async def begin(request: web.Request) -> web.Response:
        statuses.begin(await request.text())
        return web.json_response({"told": statuses.told, "under_way": statuses.under_way})

    app = web.Application()
    app.router.add_post("/http/{operation}", served.http)
    app.router.add_post("/xml/xml", served.xml)
    app.router.add_post("/soap/webservice.php", served.soap)
    app.router.add_post("/run", begin)
    return app


class Served:
    """One operation for each request, by any of the three APIs."""

    def __init__(self, till: Till) -> None:
        self._till = till
        self._throttled = 0

    async def http(self, request: web.Request) -> web.StreamResponse:
        octets = await request.read()
        values = dict(parse_qsl(octets.decode(), encoding="latin-1", keep_blank_values=True))
        return await self._do(WayName.HTTP, request.match_info["operation"], values, request)

    async def xml(self, request: web.Request) -> web.StreamResponse:
        document = dict(parse_qsl((await request.read()).decode()))["data"]
        (call,) = ElementTree.fromstring(document)  # noqa: S314
        values = {child.tag: child.text or "" for child in call}
        return await self._do(WayName.XML, call.tag.lower(), values, request)

    async def soap(self, request: web.Request) -> web.StreamResponse:
        root = ElementTree.fromstring(await request.read())  # noqa: S314
        call = root[0][0]
        values = {child.tag: "".join(child.itertext()) for child in call}
        name = re.sub("{.*}", "", call.tag).lower()
        return await self._do(WayName.SOAP, name, values, request)

    async def _do(
        self, way: WayName, operation: str, values: Mapping[str, str], request: web.Request
    ) -> web.StreamResponse:
        match operation:
            case "auth":
                line = f"OK: {SESSION}"
            case "ping":
                line = "OK: "
            case "querymsg":
                line = self._found(values)
            case "getmsgcharge":
                gateway_id = values.get("apimsgid") or values["apiMsgId"]
                line = f"apiMsgId: {gateway_id} charge: 1 status: 003"
            case _:
                return await self._take(way, values, request)
        return web.Response(body=line_as(way, operation, line))

    def _found(self, values: Mapping[str, str]) -> str:
        """The truth."""
        gateway_id = self._till.id_of(values.get("cliMsgId") or values.get("climsgid", ""))
        return (
            f"ID: {gateway_id} Status: 003" if gateway_id else "ERR: 104, Unknown client message ID"
        )

    async def _take(
        self, way: WayName, values: Mapping[str, str], request: web.Request
    ) -> web.StreamResponse:
        fate = self._till.receive(message_from_values(way, values))
        await asyncio.sleep(fate.seconds)
        match fate.name:
            case "lost":
                if fate.is_silent:
                    await asyncio.sleep(TIMEOUT_SECONDS + 1)
                if request.transport is not None:  # else the sender was killed meanwhile
                    request.transport.abort()
                return web.Response()
            case "throttled":
                self._throttled += 1
                if self._throttled % 2:
                    return web.Response(status=429, headers={"Retry-After": "1"})
                line = FEWER.format(until=int(time.time()) + 2)
            case "refused":
                line = WRONG
            case _:
                line = f"ID: {fate.gateway_id}"
        return web.Response(body=line_as(way, "sendmsg", line))


def message_from_values(way: WayName, values: Mapping[str, Any]) -> Message:
    """The message that parameters of sendmsg, by the names of HTTP, stand for."""
    text = values.get("text", "")
    if values.get("unicode", "0") == "1":
        text = bytes.fromhex(text).decode("utf-16-be")
    return Message(
        way=way.value,
        handset=values["to"].strip(),
        sender_id=values.get("from", ""),
        text=text,
        command_id=values["cliMsgId"],
    )
