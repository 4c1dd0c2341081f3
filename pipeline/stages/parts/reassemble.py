"""Joins parts to messages, and never mixes the parts of two messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.sms.timestamp import seconds_of
from pipeline.stages.parts.message import message_from_part, message_from_parts
from pipeline.stages.parts.row import (
    Assemblies,
    Assembly,
    HeldPart,
    Released,
    assemblies_from_octets,
    octets_from_assemblies,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, timedelta

    from pipeline.records import MoMessage, MoPart

__all__ = [
    "Assemblies",
    "assemblies_due_at",
    "assemblies_from_octets",
    "assembly_key",
    "message_from_part",
    "octets_from_assemblies",
    "reassemble",
    "release_due",
]


_encode: Final = msgspec.msgpack.Encoder().encode


def assembly_key(part: MoPart) -> bytes:
    """The key of an assembly. The handset comes first, so that its rows can be found."""
    return _encode(
        (part.handset, part.number, part.reference_bits, part.reference, part.parts_total)
    )


def keys_begin(handset: str) -> bytes:
    """The octets with which all assembly keys of a handset begin, and no other handset's."""
    key = _encode((handset, "", 0, 0, 0))
    return key[: -len(_encode(("", 0, 0, 0))) + 1]


def reassemble(
    row: Assemblies | None, part: MoPart, *, spread: timedelta, timeout: timedelta, account: str
) -> tuple[Assemblies | None, list[MoMessage]]:
    """The row after `part` (None if it is empty), and the messages that are released.

    Assemblies that were due when the part was received are released first, without a tick.
    """
    if part.parts_total == 1:
        return row, [message_from_part(part, account=account)]
    row = msgspec.structs.replace(row, account=account) if row else Assemblies(account)
    row, messages = _release(row, now=part.received_at, timeout=timeout)
    home = _nearest((*row.open, *row.released), part, spread=spread)
    if isinstance(home, Released):
        messages.append(message_from_parts([part], account=account, late=True))
        row = _with_late_part(row, part, home)
    else:
        held = HeldPart(**msgspec.structs.asdict(part))
        filled = Assembly((*home.parts, held) if home else (held,))
        opened = [filled if assembly is home else assembly for assembly in row.open]
        if home is None:
            opened.append(filled)
        if len(filled.parts) == part.parts_total:
            messages.append(message_from_parts(filled.parts, account=account))
            opened.remove(filled)
        row = msgspec.structs.replace(row, open=tuple(opened))
    return _or_none(row), messages


def release_due(
    row: Assemblies, *, now: datetime, timeout: timedelta, keep: timedelta
) -> tuple[Assemblies | None, list[MoMessage]]:
    """Release incomplete messages due at `now`, and forget markers that are `keep` old."""
    row, messages = _release(row, now=now, timeout=timeout)
    remembered = tuple(released for released in row.released if released.released_at + keep > now)
    return _or_none(msgspec.structs.replace(row, released=remembered)), messages


def assemblies_due_at(row: Assemblies, *, timeout: timedelta, keep: timedelta) -> datetime | None:
    """When `release_due` next has something to do; None: never."""
    return min(
        (
            *(_due_at(assembly, timeout=timeout) for assembly in row.open),
            *(released.released_at + keep for released in row.released),
        ),
        default=None,
    )


def _due_at(assembly: Assembly, *, timeout: timedelta) -> datetime:
    return assembly.parts[-1].received_at + timeout


def _release(
    row: Assemblies, *, now: datetime, timeout: timedelta
) -> tuple[Assemblies, list[MoMessage]]:
    """Release incomplete messages whose last part is `timeout` old, and leave markers."""
    still_open, markers, messages = [], list(row.released), []
    for assembly in row.open:
        due = _due_at(assembly, timeout=timeout)
        if due <= now:
            markers.append(Released(tuple(_slots(assembly)), due))
            messages.append(message_from_parts(assembly.parts, account=row.account))
        else:
            still_open.append(assembly)
    return Assemblies(row.account, tuple(still_open), tuple(markers)), messages


def _with_late_part(row: Assemblies, part: MoPart, home: Released) -> Assemblies:
    """The row with the part noted in the marker; the marker is dropped if no part is missing."""
    slots = (*home.slots, (part.part_number, part.gateway_time))
    markers = [Released(slots, home.released_at) if each is home else each for each in row.released]
    if len(slots) == part.parts_total:
        markers = [each for each in markers if each.slots is not slots]
    return msgspec.structs.replace(row, released=tuple(markers))


def _nearest(
    homes: Iterable[Assembly | Released], part: MoPart, *, spread: timedelta
) -> Assembly | Released | None:
    """The assembly or marker for a part: its slot is free, and all its times are within `spread`.

    Of several, the nearest in time; if equally near, an open one before a released one, then the
    one that began first.
    """
    nearest: Assembly | Released | None = None
    least = within = spread.total_seconds()
    for home in homes:
        distance = _distance(_slots(home), part, within=within)
        if distance is not None and (nearest is None or distance < least):
            nearest, least = home, distance
    return nearest


def _slots(home: Assembly | Released) -> Sequence[tuple[int, datetime]]:
    """Part number and gateway time of each part that has arrived."""
    if isinstance(home, Released):
        return home.slots
    return [(part.part_number, part.gateway_time) for part in home.parts]


def _distance(
    slots: Iterable[tuple[int, datetime]], part: MoPart, *, within: float
) -> float | None:
    """Seconds to the nearest of `slots`; None if the part's slot is taken or a slot is too far."""
    time = seconds_of(part.gateway_time)
    least = within
    for number, taken_at in slots:
        distance = abs(seconds_of(taken_at) - time)
        if number == part.part_number or distance > within:
            return None
        least = min(least, distance)
    return least


def _or_none(row: Assemblies) -> Assemblies | None:
    return row if row.open or row.released else None
