"""A frame that is larger than its request allows is not read."""

from __future__ import annotations

import asyncio
import struct
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.fetch import FetchRequest_v4
from aiokafka.protocol.metadata import MetadataRequest_v0

from pipeline.kafka.client import bounded_frames
from pipeline.kafka.client.limits import FRAME_OCTETS, MOST_FETCHED_OCTETS, SMALL_FRAME_OCTETS
from pipeline.kafka.topics import topics

FETCH, OTHER = FetchRequest_v4(-1, 1, 1, 1, 1, []), MetadataRequest_v0([])


class Transport:
    """Records whether it was aborted."""

    is_aborted = False

    @property
    def transport(self) -> Transport:
        return self

    def abort(self) -> None:
        self.is_aborted = True


class Connection:
    """aiokafka's connection, as `_read` sees it."""

    def __init__(self, request: Any) -> None:
        self._reader = asyncio.StreamReader()
        self._writer = Transport()
        self._requests = [(1, request, None)] if request else []
        self.frames: list[bytes] = []

    def _handle_frame(self, octets: bytes) -> None:
        self.frames.append(octets)


CASES = [
    pytest.param(FETCH, FRAME_OCTETS, True, id="the-largest-fetch"),
    pytest.param(FETCH, FRAME_OCTETS + 1, False, id="a-larger-fetch"),
    pytest.param(FETCH, (1 << 31) - 1, False, id="two-gigabytes"),
    pytest.param(OTHER, SMALL_FRAME_OCTETS, True, id="the-largest-other"),
    pytest.param(OTHER, SMALL_FRAME_OCTETS + 1, False, id="a-larger-other"),
    pytest.param(OTHER, -1, False, id="below-nothing"),
    pytest.param(OTHER, 0, False, id="nothing"),
    pytest.param(OTHER, 3, False, id="no-room-for-its-number"),
    pytest.param(OTHER, 4, True, id="its-number-alone"),
    pytest.param(None, 4, False, id="nobody-asked"),
]


@pytest.mark.parametrize(("request_", "size", "is_read"), CASES)
async def test_a_frame(request_: Any, size: int, is_read: bool) -> None:
    connection = Connection(request_)
    connection._reader.feed_data(struct.pack(">i", size))
    if is_read:
        connection._reader.feed_data(bytes(size))
    connection._reader.feed_eof()
    expected = asyncio.IncompleteReadError if is_read else KafkaConnectionError
    with pytest.raises(expected):
        await bounded_frames._read(lambda: connection)
    assert connection._writer.is_aborted is not is_read
    assert [len(frame) for frame in connection.frames] == ([size] if is_read else [])


def test_a_fetch_has_room_for_the_largest_record_of_any_topic() -> None:
    largest = max(int(topic.config["max.message.bytes"]) for topic in topics().values())
    assert largest < MOST_FETCHED_OCTETS < FRAME_OCTETS
