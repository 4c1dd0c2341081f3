"""How much may wait under one assembly key. Beyond that, messages go out incomplete and flagged.

A message has at most 255 parts of 140 octets (3GPP TS 23.040 9.2.3.24.1): 35,700 octets. More
octets under one key are not the parts of real messages (`deploy/decisions/0088`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.records import Flag
from pipeline.stages.parts.message import message_from_parts
from pipeline.stages.parts.row import Assemblies, Released, octets_from_assemblies

if TYPE_CHECKING:
    from pipeline.records import MoMessage

MOST_ROW_OCTETS: Final = 131_072
MOST_OPEN: Final = 32
MOST_RELEASED: Final = 64


def is_within_bounds(row: Assemblies, octets: int) -> bool:
    """Whether the row, which takes `octets` octets, may be kept unchanged."""
    return (
        octets <= MOST_ROW_OCTETS
        and len(row.open) <= MOST_OPEN
        and len(row.released) <= MOST_RELEASED
    )


def relieve(row: Assemblies) -> tuple[Assemblies, list[MoMessage]]:
    """The row within its bounds, and the messages that are released for that, the oldest first.

    Markers of released messages are forgotten before more messages are released. A late part of a
    forgotten message then waits like the part of a new message.
    """
    held = list(row.open)
    markers = list(row.released[-MOST_RELEASED:])
    messages: list[MoMessage] = []
    row = Assemblies(row.account, tuple(held), tuple(markers))
    while held and not is_within_bounds(row, len(octets_from_assemblies(row))):
        if len(held) <= MOST_OPEN and len(markers) > MOST_RELEASED // 2:
            del markers[: len(markers) // 2]
        else:
            many = max(1, len(held) // 4)
            oldest = sorted(held, key=lambda each: each.parts[-1].received_at)[:many]
            for assembly in oldest:
                held.remove(assembly)
                slots = tuple((part.part_number, part.gateway_time) for part in assembly.parts)
                markers.append(Released(slots, assembly.parts[-1].received_at))
                message = message_from_parts(assembly.parts, account=row.account)
                flags = [*message.flags, Flag.MANY_INCOMPLETE]
                messages.append(msgspec.structs.replace(message, flags=flags))
            del markers[:-MOST_RELEASED]
        row = Assemblies(row.account, tuple(held), tuple(markers))
    return row, messages
