"""Bounds the answers of a broker: no larger than the request allows, and answers to a request.

Written against aiokafka 0.14.0, which is pinned. aiokafka reads as many octets as a frame
announces, up to two gigabytes, before it examines the first of them.
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
    """aiokafka's function, with bounds. It keeps no reference to a connection between frames."""
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
    """The most octets that the answer to the oldest request may have; 0 without a request."""
    if not requests:
        return 0
    _, request, _ = requests[0]
    is_fetch = getattr(request, "API_KEY", None) == FetchRequest.API_KEY
    return FRAME_OCTETS if is_fetch else SMALL_FRAME_OCTETS


def bound_frames() -> None:
    """Have every connection of this process read within bounds."""
    AIOKafkaConnection._read = staticmethod(_read)  # noqa: SLF001 - as above
