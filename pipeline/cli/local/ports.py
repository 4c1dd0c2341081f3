"""Free ports on loopback that a process can bind again after it was restarted."""

from __future__ import annotations

import random
import socket
import sys
from pathlib import Path
from typing import Final

LOOPBACK: Final = "127.0.0.1"
_EPHEMERAL: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST: Final = 20_000


def port_is_free(port: int, *, host: str = LOOPBACK) -> bool:
    """Whether a server could listen on the port now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def _takes(port: int) -> bool:
    """Whether no other process has chosen the port; it is this one's as long as it lives.

    Between choosing a port and listening there another process might choose the same one. A name
    in Linux' abstract namespace (unix(7)) has one owner and goes with its process.
    """
    if sys.platform != "linux":
        return True
    mark = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        mark.bind(f"\0twoway-port-{port}")
    except OSError:
        mark.close()
        return False
    mark.detach()  # open until the process ends
    return True


def free_port(*, avoid: frozenset[int] | set[int] = frozenset()) -> int:
    """A free port below the kernel's ephemeral range, which no other process is given.

    A client that retries while the server is down gets source ports from the ephemeral range. If
    the server's port were in that range, the client could get it, connect to itself, and keep the
    server from binding the port again.
    """
    lowest_ephemeral = 32_768
    if _EPHEMERAL.is_file():
        lowest_ephemeral = int(_EPHEMERAL.read_text().split()[0])
    highest = lowest_ephemeral - 1 if lowest_ephemeral > _LOWEST + 1_000 else 65_535
    chosen = random.SystemRandom()
    for _ in range(1_000):
        port = chosen.randint(_LOWEST, highest)
        if port not in avoid and port_is_free(port) and _takes(port):
            return port
    raise OSError(f"no free port between {_LOWEST} and {highest}")
