"""Links from one address to another that can be cut: a TCP proxy in a process of its own.

A cut link is like a network that loses every packet: connections stay open, nothing arrives, and a
new connection gets no answer. When the link is mended, what was written meanwhile arrives.

`python -m tests.chaos.brokers.links` is the proxy. Its first line of input is all links in JSON,
each later line the names of those that are cut. It answers each line once that is done.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import uvloop

if TYPE_CHECKING:
    from collections.abc import Iterable

OCTETS = 1 << 16


class Link(NamedTuple):
    """Who connects to `at` reaches `to`, each a host and a port."""

    name: str
    at: tuple[str, int]
    to: tuple[str, int]


class Links:
    """The proxy, as the process that starts it sees it."""

    def __init__(self, links: Iterable[Link]) -> None:
        self.all = list(links)
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start the proxy; returns when it listens for every link. No link needs no proxy."""
        if not self.all:
            return
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.brokers.links"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._tell(self.all)

    def cut(self, names: Iterable[str]) -> None:
        """Cut these links, and mend all others."""
        self._tell(sorted(names))

    def _tell(self, line: list[Link] | list[str]) -> None:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(line) + "\n")
        process.stdin.flush()
        assert process.stdout.readline() == "done\n", "the proxy has ended"

    def stop(self) -> None:
        """End the proxy, and every connection."""
        process, self._process = self._process, None
        if process is not None:
            with process:
                process.kill()


class _Passing:
    """One link in the proxy."""

    def __init__(self, to: tuple[str, int]) -> None:
        self._to = to
        self._is_whole = asyncio.Event()
        self._is_whole.set()

    def cut(self, *, is_cut: bool) -> None:
        if is_cut:
            self._is_whole.clear()
        else:
            self._is_whole.set()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what one connection says, in both directions, until either side ends it."""
        await self._is_whole.wait()
        with suppress(OSError):
            there, to_there = await asyncio.open_connection(*self._to)
            ways = [
                asyncio.create_task(self._pass_on(reader, to_there)),
                asyncio.create_task(self._pass_on(there, writer)),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            to_there.transport.abort()
        writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while octets := await reader.read(OCTETS):
                await self._is_whole.wait()
                writer.write(octets)
                await writer.drain()
        await self._is_whole.wait()


async def _serve() -> None:
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    links = [Link(*each) for each in json.loads(await lines.readline())]
    passing = {link.name: _Passing(tuple(link.to)) for link in links}
    servers = [await asyncio.start_server(passing[link.name].accept, *link.at) for link in links]
    _say_done()
    while line := await lines.readline():
        names = set(json.loads(line))
        for name, link in passing.items():
            link.cut(is_cut=name in names)
        _say_done()
    for server in servers:
        server.close()


def _say_done() -> None:
    sys.stdout.write("done\n")
    sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(_serve())
