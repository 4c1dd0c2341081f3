"""Who asks for the ends of partitions asks again after a pause, and asks where the leader is now.

A broker that does not lead a partition, or not yet, refuses the question. A new topic is refused so
until the broker has made the files of its partitions. kafka-python 3.0.12 then asks the same broker
again at once, some 500 times a second, until it answers or the list of leaders is five minutes old.
"""

from __future__ import annotations

from typing import Any, Final

from kafka.consumer.fetcher import Fetcher

_send: Final = Fetcher._send_list_offsets_requests  # noqa: SLF001 - each of these questions


async def _send_and_pause(fetcher: Any, timestamps: Any) -> Any:
    """kafka-python's function; a partition without an answer is asked for after the pause."""
    offsets, unanswered = await _send(fetcher, timestamps)
    if unanswered:
        manager = fetcher._manager  # noqa: SLF001 - as above
        manager.cluster.request_update()
        await manager._net.sleep(fetcher.config["retry_backoff_ms"] / 1000)  # noqa: SLF001 - as above
    return offsets, unanswered


def ask_after_a_pause() -> None:
    """From now on every client of kafka-python in this process asks so."""
    Fetcher._send_list_offsets_requests = _send_and_pause  # noqa: SLF001 - as above
