"""A connection with TLS is closed at once, and does not wait until the broker agrees.

Written against aiokafka 0.14.0, which is pinned. Whoever closes a connection with TLS says so, and
need not wait for an answer (RFC 8446 6.1). asyncio and uvloop wait for it, up to 30 s, and a broker
that is about to answer a fetch does not give it. A partition that was restored stood still so long.
"""

from __future__ import annotations

from typing import Any, Final

from aiokafka.conn import AIOKafkaConnection

from pipeline.home.brokers import WITH_TLS

_close: Final = AIOKafkaConnection.close


def _close_now(connection: Any, reason: Any = None, exc: BaseException | None = None) -> Any:
    """aiokafka's function; who waits for its future does not wait for the broker.

    What was asked for on the connection has its answer, or fails, as it does without TLS.
    """
    writer = connection._writer  # noqa: SLF001 - see the module
    closed = _close(connection, reason=reason, exc=exc)
    if writer is not None and connection._security_protocol in WITH_TLS:  # noqa: SLF001 - as above
        writer.transport.abort()  # what closes it has been said
    return closed


def close_at_once() -> None:
    """From now on no client of aiokafka in this process waits for a broker to close."""
    AIOKafkaConnection.close = _close_now
