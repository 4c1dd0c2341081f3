"""A proxy before an honest peer: it passes all on, until it is told to lie.

The peer is who is connected to, or who connects: an application that binds to us by SMPP.
"""

from __future__ import annotations

import select
import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from tests.hostile.lying_server import Line
from tests.hostile.peers.lies import LIES, Answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.hostile.peers.lies import Tongue

_OCTETS: Final = 1 << 20


class LyingProxy:
    """The proxy; each connection has a thread."""

    def __init__(
        self, tongue: Tongue, upstream: int = 0, *, steps: int = 1, lies: str = "upstream"
    ) -> None:
        """`steps`: the connections of a lie hear 0 to so many less one honest answers before it.

        `lies` says whose words a lie replaces: `upstream`, or `client`, which connects to us.
        """
        self._tongue = tongue
        self._lies = lies
        self.upstream = upstream
        self._steps = steps
        self._turn = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._lie = ""
        self._open: set[socket.socket] = set()
        self.told = 0

    def lie(self, name: str) -> None:
        """Replace every answer of the peer by this lie from now on."""
        self.told = self._turn = 0
        self._lie = name

    def be_honest(self) -> None:
        """Forward everything from now on; a connection with a lie under way stays as it is."""
        self._lie = ""

    def cut(self) -> None:
        """End every open connection."""
        for each in list(self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def serve(self) -> None:
        """Accept connections until `close`."""
        with suppress(OSError):
            while True:
                client = self._listening.accept()[0]
                threading.Thread(target=self._deal, args=(client,), daemon=True).start()

    def close(self) -> None:
        """Stop listening, and end every connection."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()

    def _deal(self, client: socket.socket) -> None:
        self._open.add(client)
        with client, suppress(OSError, ValueError):
            upstream = socket.create_connection(("127.0.0.1", self.upstream))
            with upstream:
                heard, peer = (client, upstream) if self._lies == "upstream" else (upstream, client)
                lie, octets = self._honestly(heard, peer)
                if self._lies == "upstream":
                    upstream.close()
                if lie:
                    self.told += 1
                    LIES[lie](Answer(Line(heard), octets, self._tongue))
        self._open.discard(client)

    def _honestly(self, heard: socket.socket, peer: socket.socket) -> tuple[str, bytes]:
        """Forward until a lie is due; return its name and the answer that it replaces.

        Returns empty values if the connection ends first.
        """
        honest = 0
        if self._lie:
            honest = self._turn % self._steps
            self._turn += 1
        while True:
            # One thread: a socket that another one reads from would not be closed.
            for ready in select.select([heard, peer], [], [])[0]:
                if not (octets := ready.recv(_OCTETS)):
                    return "", b""
                if ready is heard:
                    peer.sendall(octets)
                elif (lie := self._lie) and not honest:
                    return lie, octets
                else:
                    honest -= honest > 0
                    heard.sendall(octets)


@contextmanager
def lying_proxy(
    tongue: Tongue, upstream: int = 0, *, steps: int = 1, lies: str = "upstream"
) -> Iterator[LyingProxy]:
    """A proxy that serves in a thread until the block ends."""
    proxy = LyingProxy(tongue, upstream, steps=steps, lies=lies)
    serving = threading.Thread(target=proxy.serve, daemon=True)
    serving.start()
    try:
        yield proxy
    finally:
        proxy.close()
        serving.join(5)
