"""A consumer of many partitions that sends fewer and smaller fetches.

Written against aiokafka 0.14.0, which is pinned and offers neither.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, Any

import aiokafka
from aiokafka.client import ConnectionGroup
from aiokafka.protocol.fetch import FetchRequest

from pipeline.kafka.client import bounded_frames, lenient_records
from pipeline.kafka.client.answers import bound_answers, is_heartbeat, send_and_hold
from pipeline.kafka.client.confirmed_ends import LEADERS_KNOWN_MS
from pipeline.kafka.client.fetch_session import FetchSession
from pipeline.kafka.client.limits import MOST_FETCHED_OCTETS

if TYPE_CHECKING:
    from collections.abc import Callable

bounded_frames.bound_frames()
lenient_records.read_any_header_key()


class PacedConsumer(aiokafka.AIOKafkaConsumer):
    """Fetches in sessions, and leaves a gap between two fetches to the same node.

    A broker answers a fetch as soon as any partition has a record. Without the gap, a hundred
    records a second mean a hundred fetches. For each fetch the broker looks through all partitions,
    which was most of the work of client and broker. A fetch that finds nothing waits at the broker,
    so the next record is still delivered at once.

    A broker that does not answer is given up after some seconds (`answers`), also by a heartbeat.
    """

    def __init__(self, *, gap_seconds: Callable[[], float], **options: Any) -> None:
        options.setdefault("metadata_max_age_ms", LEADERS_KNOWN_MS)
        super().__init__(fetch_max_bytes=MOST_FETCHED_OCTETS, **options)
        bound_answers(self._client)
        self._gap_seconds = gap_seconds
        self._next_fetch_at: dict[int, float] = {}
        self._sessions: dict[int, FetchSession] = defaultdict(FetchSession)

    async def start(self) -> None:
        """Start, and replace a function of aiokafka's fetcher, which exists only then."""
        self._replace_send()
        await super().start()
        fetcher = self._fetcher
        fetch = fetcher._proc_fetch_request  # noqa: SLF001 - see the module

        async def fetch_after_gap(assignment: Any, node: int, request: Any) -> Any:
            loop = asyncio.get_running_loop()
            wait = self._next_fetch_at.get(node, 0.0) - loop.time()
            try:
                await asyncio.sleep(max(0.0, wait))
            except asyncio.CancelledError:  # closed or unassigned: the same answer as aiokafka's
                return False
            self._next_fetch_at[node] = loop.time() + self._gap_seconds()
            return await fetch(assignment, node, request)

        fetcher._proc_fetch_request = fetch_after_gap  # noqa: SLF001 - as above

    def _replace_send(self) -> None:
        client = self._client
        send = client.send

        async def send_by_kind(
            node: int, request: Any, *, group: ConnectionGroup = ConnectionGroup.DEFAULT
        ) -> Any:
            if isinstance(request, FetchRequest):
                return await self._sessions[node].fetch(partial(send, node), request)
            if group is ConnectionGroup.COORDINATION and not is_heartbeat(request):
                return await send_and_hold(client, node, request, group)
            return await send(node, request, group=group)

        client.send = send_by_kind
