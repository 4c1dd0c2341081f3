"""A server that treats each connection as it is told, honestly or not."""

from __future__ import annotations

import socket
import struct
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from tests.support.looking import looks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Conduct = Callable[["Line"], None]

PATIENCE_SECONDS = 30.0


class Line:
    """One connection, as the server has it."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.file = connection.makefile("rb")

    def say(self, octets: bytes) -> None:
        self.socket.sendall(octets)

    def for_ever(self, octets: bytes, *, pause: float = 0.0) -> None:
        """Until the client hangs up."""
        while True:
            self.socket.sendall(octets)
            time.sleep(pause)

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.file.close()
        self.socket.close()


class LyingServer:
    """Each connection has a thread of its own."""

    def __init__(self, conduct: Conduct) -> None:
        self.conduct = conduct
        self.connections = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._open: list[socket.socket] = []

    def serve(self) -> None:
        """Until the socket is closed."""
        with suppress(OSError):
            while True:
                connection = self._listening.accept()[0]
                self.connections += 1
                self._open.append(connection)
                threading.Thread(target=self._deal, args=(connection,), daemon=True).start()

    def _deal(self, connection: socket.socket) -> None:
        with connection, suppress(OSError, ValueError):
            self.conduct(Line(connection))

    def lie(self, conduct: Conduct, *, times: int = 2) -> None:
        """Tell the lie; return once this many clients have met it and another client has come."""
        self.conduct = conduct
        before = self.connections
        wait_until(lambda: self.connections > before + times)

    def be(self, conduct: Conduct) -> None:
        """From now on treat connections in this way; open connections end."""
        self.conduct = conduct
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def close(self) -> None:
        """End all of it."""
        self.be(self.conduct)
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


@contextmanager
def lying_server(conduct: Conduct) -> Iterator[LyingServer]:
    """Serves in the background."""
    server = LyingServer(conduct)
    serving = threading.Thread(target=server.serve, daemon=True)
    serving.start()
    try:
        yield server
    finally:
        server.close()
        serving.join(5)


def wait_until(holds: Callable[[], bool], *, seconds: float = PATIENCE_SECONDS) -> None:
    """Return once the condition holds."""
    for _ in looks(seconds=seconds, first=0.01, longest=0.2):
        if holds():
            return
    raise AssertionError("it did not come to pass")
