"""A message out of its parts: octets joined before they are decoded."""

from __future__ import annotations

from hashlib import blake2b
from itertools import groupby
from typing import TYPE_CHECKING

from pipeline.records import Flag, MoMessage, MoPart
from pipeline.sms.charset import published, text_from_octets

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def message_from_part(part: MoPart, *, account: str) -> MoMessage:
    """The message that one part is by itself."""
    text, lossy = text_from_octets(part.octets, part.charset)
    octets, charset = published(part.octets, part.charset, text)
    return MoMessage(
        message_id=_message_id([part.part_id]),
        handset=part.handset,
        number=part.number,
        text=text,
        octets=octets,
        charset=charset,
        api_id=part.api_id,
        account=account,
        mo_msg_ids=[part.mo_msg_id],
        part_ids=[part.part_id],
        gateway_time=part.gateway_time,
        received_at=part.received_at,
        parts_total=1,
        parts_missing=[],
        complete=True,
        lossy=lossy,
        flags=list(part.flags),
        source=part.source,
        network_id=part.network_id,
    )


def message_from_parts(arrived: Sequence[MoPart], *, account: str, late: bool = False) -> MoMessage:
    """The message of parts in the order they came; `late`: a piece of one that went out before.

    Its time is the earliest part's, receipt and source are those of the part that came last, api_id
    and network id the first that is given, and of mixed charsets it names the first part's.
    """
    parts = sorted(arrived, key=lambda part: part.part_number)
    first, last = parts[0], arrived[-1]
    text, lossy = _text_from_parts(parts)
    there = {part.part_number for part in parts}
    missing = [number for number in range(1, first.parts_total + 1) if number not in there]
    flags = list(dict.fromkeys(flag for part in parts for flag in part.flags))
    if len({part.charset for part in parts}) > 1:
        flags.append(Flag.MIXED_CHARSET)
    if late:
        flags.append(Flag.LATE_PART)
    part_ids = [part.part_id for part in parts]
    joined = b"".join(part.octets for part in parts)
    octets, charset = published(joined, first.charset, text)
    return MoMessage(
        message_id=_message_id(part_ids, late=late),
        handset=first.handset,
        number=first.number,
        text=text,
        octets=octets,
        charset=charset,
        api_id=_first_given(part.api_id for part in parts),
        account=account,
        mo_msg_ids=[part.mo_msg_id for part in parts],
        part_ids=part_ids,
        gateway_time=min(part.gateway_time for part in parts),
        received_at=last.received_at,
        parts_total=first.parts_total,
        parts_missing=missing,
        complete=not missing,
        lossy=lossy,
        flags=flags,
        source=last.source,
        network_id=_first_given(part.network_id for part in parts),
    )


def _text_from_parts(parts: Sequence[MoPart]) -> tuple[str, bool]:
    """Join and decode each run of neighbours of one charset; over a gap nothing is joined."""
    texts, lossy = [], False
    numbered = enumerate(parts)
    for (charset, _), run in groupby(numbered, lambda n: (n[1].charset, n[1].part_number - n[0])):
        octets = b"".join(part.octets for _, part in run)
        text, run_is_lossy = text_from_octets(octets, charset)
        texts.append(text)
        lossy = lossy or run_is_lossy
    return "".join(texts), lossy


def _message_id(part_ids: Sequence[str], *, late: bool = False) -> str:
    """32 hex digits that follow from the parts, and from whether they came late."""
    identity = "".join(part_ids) + (Flag.LATE_PART if late else "")
    return blake2b(identity.encode(), digest_size=16).hexdigest()


def _first_given(values: Iterable[str]) -> str:
    return next(filter(None, values), "")
