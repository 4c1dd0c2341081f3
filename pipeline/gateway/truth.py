"""Keeps every message that was taken, with its octets, as JSON lines in the home."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pipeline.gateway.world import EventKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pipeline.gateway.world import WorldEvent

SEEN: Final = "gateway-seen.jsonl"  # in the home


class Truth:
    """Writes a line for each message that was taken; the octets are hex."""

    def __init__(self, home: Path) -> None:
        self._file = home / SEEN

    def tell(self, event: WorldEvent) -> None:
        """Write a line if the event is a message that was taken."""
        if event.kind is not EventKind.SUBMITTED:
            return
        line = {
            "at": event.at.isoformat(),
            "way": event.way,
            "message_id": event.message_id,
            "client_id": event.client_id,
            "to": event.handset,
            "from": event.sender_id,
            "text": event.text,
            **event.facts,
            "octets": event.received.hex(),
        }
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def seen_in(home: Path) -> Iterator[dict[str, Any]]:
    """Yield the messages that were taken, in order; none if there is no file.

    A last line without a line end is left out: the stand-in was killed while it wrote.
    """
    file = home / SEEN
    if file.is_file():
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                if line.endswith("\n"):
                    yield json.loads(line)


def twice(seen: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages that were already sent to their handset, in order.

    Two messages are the same if handset, UDH and cliMsgId are equal; without a cliMsgId, if
    handset, UDH, sender and text are.
    """
    keys: set[tuple[str, ...]] = set()
    again: list[dict[str, Any]] = []
    for each in seen:
        what = (each["client_id"],) if each["client_id"] else (each["from"], each["text"])
        key = (each["to"], *what, each["udh"])
        if key in keys:
            again.append(each)
        keys.add(key)
    return again
