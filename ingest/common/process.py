"""What receivers have in common: they begin once Kafka answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingest.publish.publisher import Publisher


async def kafka_answers(
    publisher: Publisher, ending: asyncio.Task[bool], *, every_seconds: float
) -> bool:
    """Wait until Kafka answers (True) or `ending` is done (False)."""
    while not publisher.is_reachable and not ending.done():
        await asyncio.wait([ending], timeout=every_seconds)
    return not ending.done()
