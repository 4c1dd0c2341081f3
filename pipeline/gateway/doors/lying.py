"""Answers by HTTP, and the faults that are played with them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple

from aiohttp import web

from pipeline.gateway.world import EventKind

if TYPE_CHECKING:
    from pipeline.gateway.ground import Ground

_HUGE: Final = 10 * 1024 * 1024
_CUT: Final = 4
_PAGE: Final = b"<html><head><title>502</title></head><body>Bad Gateway</body></html>"


class Answer(NamedTuple):
    """The octets of a true answer."""

    octets: bytes
    kind: str


def refused_before_reading(
    gateway: Ground, request: web.Request, handset: str
) -> web.StreamResponse | None:
    """The answer of a fault by which nothing was taken; None where there is none."""
    fault = gateway.all_faults.met(handset, "reset-before-read", "busy") if handset else ""
    if not fault:
        return None
    gateway.world.happen(EventKind.FAULT, handset=handset, facts={"fault": fault})
    if fault == "busy":
        return web.Response(status=503, text="Service Unavailable", headers={"Retry-After": "5"})
    return _cut_off(request)


async def answered(
    gateway: Ground, request: web.Request, handset: str, answer: Answer
) -> web.StreamResponse:
    """The answer, or what a fault makes of it; the message was taken all the same."""
    names = ("lose-answer", "cut-answer", "html", "huge", "hang", "slow")
    fault = gateway.all_faults.met(handset, *names) if handset else ""
    if fault:
        gateway.world.happen(EventKind.FAULT, handset=handset, facts={"fault": fault})
    match fault:
        case "lose-answer":
            return _cut_off(request)
        case "html":
            return web.Response(body=_PAGE, content_type="text/html")
        case "huge":
            return web.Response(body=b"x" * _HUGE, content_type="text/plain")
        case "hang":
            await asyncio.sleep(gateway.settings.hang_seconds)
            return _cut_off(request)
        case "cut-answer":
            return await _piecewise(request, answer, octets=_CUT, pause=0.0)
        case "slow":
            return await _piecewise(request, answer, octets=len(answer.octets), pause=1.0)
    return web.Response(body=answer.octets, content_type=answer.kind)


def _cut_off(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _piecewise(
    request: web.Request, answer: Answer, *, octets: int, pause: float
) -> web.StreamResponse:
    """An octet at a time; the connection ends after as many."""
    response = web.StreamResponse(headers={"Content-Length": str(len(answer.octets))})
    response.content_type = answer.kind
    await response.prepare(request)
    for octet in answer.octets[:octets]:
        await response.write(bytes((octet,)))
        await asyncio.sleep(pause)
    if octets < len(answer.octets) and request.transport is not None:
        request.transport.close()
    return response
