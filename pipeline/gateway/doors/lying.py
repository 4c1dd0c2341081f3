"""Answers by HTTP, true or changed by a fault."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple

from aiohttp import web

from pipeline.gateway.faults.kinds import Group

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.gateway.ground import Ground

HUGE: Final = 10 * 1024 * 1024  # octets of the answer
CUT: Final = 4  # octets before the connection ends
SLOW_SECONDS: Final = 1.0  # between two octets
WRONG_CHARSET: Final = "cp500"  # EBCDIC, which no reader guesses
#: The faults with which the message is not taken.
NOT_TAKEN: Final = frozenset({"reset-before-read", "wrong-certificate", "busy"})
_PAGE: Final = b"<html><head><title>502</title></head><body>Bad Gateway</body></html>"


class Answer(NamedTuple):
    """A true answer: the octets of the body, and the content type."""

    octets: bytes
    kind: str


async def answered(
    gateway: Ground, request: web.Request, way: str, handset: str, take: Callable[[], Answer]
) -> web.StreamResponse:
    """Call `take` and return its answer, or do what the fault of `handset` does instead."""
    rule = gateway.meet(Group.ANSWER, way, handset) if handset else None
    name = rule.name if rule else ""
    if name == "busy":
        return web.Response(status=503, text="Service Unavailable", headers={"Retry-After": "5"})
    if name in NOT_TAKEN:
        return _cut_off(request)
    answer = take()
    octets = rule.octets if rule else None
    seconds = rule.seconds if rule else None
    match name:
        case "lose-answer":
            return _cut_off(request)
        case "html":
            return web.Response(body=_PAGE, content_type="text/html")
        case "huge":
            length = HUGE if octets is None else octets
            return web.Response(body=b"x" * length, content_type="text/plain")
        case "wrong-charset":
            wrong = answer.octets.decode().encode(WRONG_CHARSET, "replace")
            return web.Response(body=wrong, content_type=answer.kind, charset="utf-8")
        case "hang":
            await asyncio.sleep(gateway.settings.hang_seconds if seconds is None else seconds)
            return _cut_off(request)
        case "cut-answer":
            return await _piecewise(request, answer, octets=CUT if octets is None else octets)
        case "slow":
            pause = SLOW_SECONDS if seconds is None else seconds
            return await _piecewise(request, answer, octets=len(answer.octets), pause=pause)
    return web.Response(body=answer.octets, content_type=answer.kind)


def _cut_off(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _piecewise(
    request: web.Request, answer: Answer, *, octets: int, pause: float = 0.0
) -> web.StreamResponse:
    """Send `octets` octets one by one, with a pause in seconds; close before the end if fewer."""
    response = web.StreamResponse(headers={"Content-Length": str(len(answer.octets))})
    response.content_type = answer.kind
    await response.prepare(request)
    for octet in answer.octets[:octets]:
        await response.write(bytes((octet,)))
        await asyncio.sleep(pause)
    if octets < len(answer.octets) and request.transport is not None:
        request.transport.close()
    return response
