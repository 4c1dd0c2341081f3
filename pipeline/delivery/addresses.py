"""Which addresses a name may stand for: no internal one, unless the operator says so.

An address that the operator wrote is used as it is. A name is resolved by others, who could make it
stand for a service of our own network.
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
    """A name stands for internal addresses alone, and the path does not allow that."""


def is_public(address: str) -> bool:
    """Whether an address may be reached by a name: it is global unicast."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    found = mapped or found
    return found.is_global and not found.is_multicast


def is_written_out(host: str) -> bool:
    """Whether the host is an address, or this machine: the operator wrote where that is."""
    if host == LOCALHOST:
        return True
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


class GuardedResolver(AbstractResolver):
    """aiohttp's resolver, without internal addresses."""

    def __init__(self, *, may_be_internal: bool) -> None:
        self._may_be_internal = may_be_internal
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a host; raises `InternalAddress`."""
        found = await self._resolver.resolve(host, port, family)
        if self._may_be_internal or is_written_out(host):
            return found
        allowed = [each for each in found if is_public(each["host"])]
        if not allowed:
            raise InternalAddress(f"{host} is an internal address, and internal is not set")
        return allowed

    async def close(self) -> None:
        """Nothing is held."""
        await asyncio.sleep(0)


def address_of(host: str, port: int, *, may_be_internal: bool) -> str:
    """An address of a host that may be connected to; raises `OSError`. It blocks."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for *_, place in found:
        address = str(place[0])
        if may_be_internal or is_written_out(host) or is_public(address):
            return address
    raise InternalAddress(f"{host} is an internal address, and internal is not set")
