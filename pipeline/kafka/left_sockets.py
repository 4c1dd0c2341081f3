"""A client of kafka-python that is closed leaves no socket open.

kafka-python 3.0.12 forgets a socket where a request is not sent yet, or a connection not made yet,
when its client is closed. The socket stays open until the garbage collector comes.
"""

from __future__ import annotations

from typing import Any, Final

from kafka.net.selector import NetworkSelector

_close: Final = NetworkSelector.close


def _close_all(net: Any) -> None:
    """kafka-python's function; then close each socket that something still waited for."""
    if not net._closed and net._io_thread is not None:  # noqa: SLF001 - it tells nobody
        net.stop()  # nobody else uses the sockets from now on
    waited_for = net._selector.get_map() or {}  # noqa: SLF001 - as above; None when it is closed
    left = [key.fileobj for key in waited_for.values()]
    _close(net)
    for each in left:
        each.close()


def close_what_is_left() -> None:
    """From now on every client of kafka-python in this process closes its sockets."""
    NetworkSelector.close = _close_all
