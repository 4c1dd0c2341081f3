"""A thousand clients that send one octet a second, and the latency of other clients beside them."""

from __future__ import annotations

import asyncio
import re
import resource
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

CLIENTS: Final = 1_000
SECONDS: Final = 20  # below the 30 that a body may take
OTHERS_A_SECOND: Final = 20
HEAD: Final = b"POST /mo/xml HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 60000\r\n\r\n"
BODY: Final = b"data=<?xml version='1.0'?><clickmo>"
OTHER: Final = (
    b"GET /mo/http?from=4477%08d&to=447860024227&text=x HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b"Connection: close\r\n\r\n"
)


@dataclass(frozen=True)
class Figures:
    """The latencies of the other clients, in ms, and the peak memory of the process, in MB."""

    clients: int
    answered: int
    p50_ms: float
    slowest_ms: float
    most_mb: float


def resident_mb(pid: int) -> float:
    """Memory of a process, in 10^6 octets (proc(5): VmRSS)."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) * 1024 / 1e6 if found else 0.0


async def measure(url: str, pid: int, *, clients: int = CLIENTS, seconds: int = SECONDS) -> Figures:
    """Connect the slow clients, keep them sending, and meanwhile send other clients' requests."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    address = urlsplit(url)
    where = (address.hostname or "", address.port or 0)
    memory: list[float] = []
    async with AsyncExitStack() as stack:
        slow = []
        for _ in range(clients):
            reader, writer = await asyncio.open_connection(*where)
            stack.callback(writer.transport.abort)
            writer.write(HEAD)
            slow.append((reader, writer))
        asking = asyncio.create_task(_ask(where, times=seconds * OTHERS_A_SECOND))
        for second in range(seconds):
            began = perf_counter()
            for _, writer in slow:
                writer.write(BODY[second % len(BODY) :][:1])
            memory.append(resident_mb(pid))
            await asyncio.sleep(max(0.0, 1 - (perf_counter() - began)))
        waited = sorted(await asking)
        served = sum(not _has_ended(reader) for reader, _ in slow)
    return Figures(
        clients=served,
        answered=len(waited),
        p50_ms=waited[len(waited) // 2] * 1000,
        slowest_ms=waited[-1] * 1000,
        most_mb=max(memory),
    )


def _has_ended(reader: StreamReader) -> bool:
    """Whether the client was answered or cut off."""
    return reader.at_eof() or bool(reader._buffer)  # type: ignore[attr-defined]


async def _ask(where: tuple[str, int], *, times: int) -> list[float]:
    """The seconds that each of these callbacks took, each on a connection of its own."""
    waited: list[float] = []
    for number in range(times):
        began = perf_counter()
        status = await _answered(*where, OTHER % number)
        waited.append(perf_counter() - began)
        if status != 200:
            raise RuntimeError(f"another client was answered {status}")
        await asyncio.sleep(max(0.0, 1 / OTHERS_A_SECOND - waited[-1]))
    return waited


async def _answered(host: str, port: int, request: bytes) -> int:
    reader: StreamReader
    writer: StreamWriter
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(request)
        return int((await reader.readline()).split()[1])
    finally:
        writer.close()
