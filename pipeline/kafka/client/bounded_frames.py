"""An answer of a broker that is no larger than what is asked for, and is an answer to that.

Written against aiokafka 0.14.0, which is pinned: it reads as many octets as a frame announces, up
to two gigabytes, before it looks at the first of them.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.fetch import FetchRequest

from pipeline.kafka.client.limits import FRAME_OCTETS, SMALL_FRAME_OCTETS

if TYPE_CHECKING:
    from collections.abc import Callable

_SIZE: Final = struct.Struct(">i")


async def _read(connection_of: Callable[[], Any]) -> None:
    """As aiokafka's, with bounds. It holds no connection that nobody else holds."""
    connection = connection_of()
    if connection is None:
        return
    reader = connection._reader  # noqa: SLF001 - see the module
    del connection
    while True:
        (size,) = _SIZE.unpack(await reader.readexactly(_SIZE.size))
        connection = connection_of()
        if connection is None:
            return
        largest = _largest(connection._requests)  # noqa: SLF001 - as above
        if not _SIZE.size <= size <= largest:
            # Of a connection that failed much is kept until the next full collection.
            connection._writer.transport.abort()  # noqa: SLF001 - as above
            reader._buffer.clear()  # noqa: SLF001 - as above
            raise KafkaConnectionError(f"a broker answers with {size} octets, not {largest}")
        del connection
        octets = await reader.readexactly(size)
        connection = connection_of()
        if connection is None:
            return
        connection._handle_frame(octets)  # noqa: SLF001 - as above
        del connection


def _largest(requests: Any) -> int:
    """What the answer to the oldest of them may have; nothing when nothing is asked."""
    if not requests:
        return 0
    _, request, _ = requests[0]
    is_fetch = getattr(request, "API_KEY", None) == FetchRequest.API_KEY
    return FRAME_OCTETS if is_fetch else SMALL_FRAME_OCTETS


def bound_frames() -> None:
    """Have every connection of this process read so."""
    AIOKafkaConnection._read = staticmethod(_read)  # noqa: SLF001 - as above
