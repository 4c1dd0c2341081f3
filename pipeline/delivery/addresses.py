"""Refuses host names that resolve to internal addresses, unless the path allows internal ones.

An address that the operator wrote is used as it is. A name is resolved by a name server of others,
who could point it at a service of our own network.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import TYPE_CHECKING, Final

from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ThreadedResolver

if TYPE_CHECKING:
    from aiohttp.abc import ResolveResult

LOCALHOST: Final = "localhost"


class InternalAddress(OSError):
    """A name resolves only to internal addresses, and the path does not allow these."""


def is_public(address: str) -> bool:
    """Whether an address is global unicast, so that a name may resolve to it."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    found = mapped or found
    return found.is_global and not found.is_multicast


def is_written_out(host: str) -> bool:
    """Whether the host is an address or this machine, which no name server can change."""
    if host == LOCALHOST:
        return True
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


class GuardedResolver(AbstractResolver):
    """Resolves names for aiohttp, and leaves out internal addresses."""

    def __init__(self, *, may_be_internal: bool) -> None:
        self._may_be_internal = may_be_internal
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a host; raises `InternalAddress`."""
        found = await self._resolver.resolve(host, port, family)
        if self._may_be_internal or is_written_out(host):
            return found
        allowed = [each for each in found if is_public(each["host"])]
        if not allowed:
            raise InternalAddress(f"{host} is an internal address, and internal is not set")
        return allowed

    async def close(self) -> None:
        """Do nothing: the resolver holds nothing open."""
        await asyncio.sleep(0)


def address_of(host: str, port: int, *, may_be_internal: bool) -> str:
    """Resolve a host to an address that may be connected to; raises `OSError`; blocks."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for *_, place in found:
        address = str(place[0])
        if may_be_internal or is_written_out(host) or is_public(address):
            return address
    raise InternalAddress(f"{host} is an internal address, and internal is not set")
