"""The product's own ways to the stand-in of the gateway."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from pipeline.gateway.settings import API_IDS
from pipeline.sender.apis.api import Api, WayName
from pipeline.sender.way import Submission
from pipeline.sender.ways.make import way_of
from tests.support.commands import command_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from pipeline.gateway.gateway import Gateway
    from pipeline.gateway.world import EventKind, WorldEvent
    from pipeline.sender.way import Way

HANDSET = "447700900001"
NUMBER = "447700900999"
OVER_HTTP = (WayName.HTTP, WayName.XML, WayName.SOAP)


def api_to(gateway: Gateway, way: WayName, **given: Any) -> Api:
    fields: dict[str, Any] = {
        "api_id": API_IDS[way.value],
        "way": way,
        **_where(gateway, way),
        "user": gateway.settings.user,
        "password": gateway.settings.password,
        "tls": "off",
        "timeout_seconds": 2.0,
    }
    return Api(**fields | given)


def _where(gateway: Gateway, way: WayName) -> dict[str, Any]:
    if way in OVER_HTTP:
        return {"url": f"http://127.0.0.1:{gateway.http.port}"}
    host, _, port = gateway.urls[way.value].partition("://")[2].rpartition(":")
    mail = {"mail_to": "sms@messaging.clickatell.com", "mail_from": "two@example.com"}
    login = {"login_password": gateway.settings.password}
    more = {WayName.SMTP: mail, WayName.FTP: login}.get(way, {})
    return {"host": host, "port": int(port), **more}


@asynccontextmanager
async def way_to(gateway: Gateway, name: WayName, **given: Any) -> AsyncIterator[Way]:
    way = way_of(api_to(gateway, name, **given))
    try:
        yield way
    finally:
        await way.close()


def submission(text: str = "Your table is booked.", **given: Any) -> Submission:
    fields = {"handset": HANDSET, "sender_id": NUMBER, "text": text}
    return Submission(command=command_of(**fields | given), attempt=1)


def always() -> bool:
    return True


def of_kind(gateway: Gateway, kind: EventKind) -> list[WorldEvent]:
    return [event for event in gateway.world.events if event.kind is kind]


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - what is awaited is no event of asyncio
            await asyncio.sleep(0.01)
