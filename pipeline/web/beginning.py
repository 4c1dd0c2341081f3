"""The body of an answer to a client of aiohttp, as far as it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import ClientResponse


async def beginning_of(response: ClientResponse, *, octets: int) -> tuple[bytes, bool]:
    """At most so many octets of the body, and whether they are all of it.

    The connection of a longer body is closed: its rest would have to be read first.
    """
    read = bytearray()
    async for piece in response.content.iter_any():
        read += piece
        if len(read) > octets:
            response.close()
            break
    return bytes(read[:octets]), len(read) <= octets
