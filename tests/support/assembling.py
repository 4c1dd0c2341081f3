"""The table `assemblies` for tests: parts go in, messages come out, rows are encoded each time."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from pipeline.records import MoMessage, MoPart
from pipeline.stages.parts.dedupe import LATEST_RETRY
from pipeline.stages.parts.reassemble import (
    Assemblies,
    assemblies_due_at,
    assemblies_from_octets,
    assembly_key,
    message_from_part,
    octets_from_assemblies,
    reassemble,
    release_due,
)
from tests.support.mo import NOON, accepted, callback, timestamp

SPREAD = timedelta(hours=1)
TIMEOUT = timedelta(hours=24)
KEEP = timedelta(days=7)


class Box:
    """Runs parts and ticks through the stage, as the agent does."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}

    def take(self, part: MoPart) -> list[MoMessage]:
        """The messages that go out because of `part`."""
        if not part.reference_bits:
            return [message_from_part(part, account="main")]
        key = assembly_key(part)
        octets = self.rows.get(key)
        row, messages = reassemble(
            assemblies_from_octets(octets) if octets else None,
            part,
            spread=SPREAD,
            timeout=TIMEOUT,
            account="main",
        )
        self._put(key, row)
        return messages

    def take_all(self, parts: Iterable[MoPart]) -> list[MoMessage]:
        """The messages that go out because of all of `parts`, in sequence."""
        return [message for part in parts for message in self.take(part)]

    def tick(self, now: datetime) -> list[MoMessage]:
        """The messages that go out at `now`."""
        released = []
        for key in list(self.rows):
            row, messages = release_due(
                assemblies_from_octets(self.rows[key]), now=now, timeout=TIMEOUT, keep=KEEP
            )
            self._put(key, row)
            released += messages
        return released

    def open_parts(self) -> list[str]:
        """The ids of the parts that wait."""
        rows = map(assemblies_from_octets, self.rows.values())
        return [part.part_id for row in rows for held in row.open for part in held.parts]

    def due_at(self) -> datetime | None:
        """When the next tick has something to do."""
        times = [
            assemblies_due_at(assemblies_from_octets(row), timeout=TIMEOUT, keep=KEEP)
            for row in self.rows.values()
        ]
        return min((time for time in times if time is not None), default=None)

    def _put(self, key: bytes, row: Assemblies | None) -> None:
        if row is None:
            self.rows.pop(key, None)
        else:
            self.rows[key] = octets_from_assemblies(row)


def piece(
    number: int,
    text: str | bytes = "",
    /,
    *,
    of: int = 3,
    sent: timedelta = timedelta(),
    received: timedelta | None = None,
    reference: int = 7,
    wide: bool = False,
    **fields: Any,
) -> MoPart:
    """Part `number` of `of`, sent and received at this time after noon; its text is its number."""
    header = (
        bytes((6, 8, 4)) + reference.to_bytes(2, "big") + bytes((of, number))
        if wide
        else bytes((5, 0, 3, reference, of, number))
    )
    defaults = {
        "udh": header.hex(),
        "timestamp": timestamp(NOON + sent),
        "mo_msg_id": f"id-{number}-{sent}-{text!r}",
    }
    received = sent if received is None else received
    return accepted(
        callback(text or f"<{number}>", **defaults | fields),
        received_at=NOON + received,
        source="http" if received - sent <= LATEST_RETRY else "ftp",  # later, a log brings it
    )
