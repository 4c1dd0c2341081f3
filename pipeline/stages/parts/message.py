"""Makes a message of its parts: the octets are joined first and decoded afterwards."""

from __future__ import annotations

from hashlib import blake2b
from itertools import groupby
from typing import TYPE_CHECKING

from pipeline.records import Flag, MoMessage, MoPart
from pipeline.sms.charset import GSM_7, UTF_16BE
from pipeline.sms.gsm7.default import ESCAPE
from pipeline.sms.gsm7.national import DEFAULT, Tables, tables_from_udh
from pipeline.stages.parts.message_decoding import (
    BIG_ENDIAN,
    LITTLE_ENDIAN,
    Decoded,
    decoded,
    plain_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def message_from_part(part: MoPart, *, account: str) -> MoMessage:
    """The message of a single part."""
    octets, charset, flags = part.octets, part.charset, list(part.flags)
    text = plain_text(octets, charset)
    lossy = False
    if not text:
        read = decoded(octets, charset, _tables(part))
        text, lossy, octets, charset = read.text, read.lossy, read.octets, read.charset
        flags += read.flags
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
        flags=flags,
        source=part.source,
        network_id=part.network_id,
    )


def message_from_parts(arrived: Sequence[MoPart], *, account: str, late: bool = False) -> MoMessage:
    """The message of several parts, in order of arrival; `late`: a piece of a released message.

    Its time is that of the earliest part. Receipt and source are those of the part that came last.
    api_id and network id are the first that a part has.
    """
    parts = sorted(arrived, key=lambda part: part.part_number)
    first, last = parts[0], arrived[-1]
    read = _decoded_parts(parts)
    there = {part.part_number for part in parts}
    missing = [number for number in range(1, first.parts_total + 1) if number not in there]
    flags = _with((flag for part in parts for flag in part.flags), read.flags)
    if len({part.charset for part in parts}) > 1:
        flags.append(Flag.MIXED_CHARSET)
    if late:
        flags.append(Flag.LATE_PART)
    part_ids = [part.part_id for part in parts]
    return MoMessage(
        message_id=_message_id(part_ids, late=late),
        handset=first.handset,
        number=first.number,
        text=read.text,
        octets=read.octets,
        charset=read.charset,
        api_id=_first_given(part.api_id for part in parts),
        account=account,
        mo_msg_ids=[part.mo_msg_id for part in parts],
        part_ids=part_ids,
        gateway_time=min(part.gateway_time for part in parts),
        received_at=last.received_at,
        parts_total=first.parts_total,
        parts_missing=missing,
        complete=not missing,
        lossy=read.lossy,
        flags=flags,
        source=last.source,
        network_id=_first_given(part.network_id for part in parts),
    )


def _tables(part: MoPart) -> Tables:
    return tables_from_udh(part.udh) if part.charset == GSM_7 and part.udh else DEFAULT


def _with(flags: Iterable[str], more: Iterable[str]) -> list[str]:
    return list(dict.fromkeys((*flags, *more)))


def _decoded_parts(parts: Sequence[MoPart]) -> Decoded:
    """Join and decode each run of neighbouring parts with one charset; a gap ends a run.

    A UTF-16 run without a byte order mark has the byte order of the run before it.
    """
    runs: list[Decoded] = []
    mark = b""
    numbered = enumerate(parts)
    for (charset, _), run in groupby(numbered, lambda n: (n[1].charset, n[1].part_number - n[0])):
        neighbours = [part for _, part in run]
        if charset == GSM_7:
            runs += _decoded_septets(neighbours)
            continue
        octets = b"".join(part.octets for part in neighbours)
        if charset == UTF_16BE:
            own = octets[:2] if octets.startswith((BIG_ENDIAN, LITTLE_ENDIAN)) else b""
            mark = own or mark
            octets = octets if own else mark + octets
        runs.append(decoded(octets, charset))
    return runs[0] if len(runs) == 1 else _joined(runs)


def _decoded_septets(parts: Sequence[MoPart]) -> list[Decoded]:
    """Join and decode parts in GSM-7, in runs with the same tables.

    If an escape and its character are in different runs, the escape moves to the character.
    """
    runs: list[Decoded] = []
    escape = b""
    grouped = [(tables, list(run)) for tables, run in groupby(parts, _tables)]
    for at, (tables, run) in enumerate(grouped):
        octets = escape + b"".join(part.octets for part in run)
        escape = b""
        if at + 1 < len(grouped) and _ends_in_an_escape(octets):
            octets, escape = octets[:-1], bytes((ESCAPE,))
        runs.append(decoded(octets, GSM_7, tables))
    return runs


def _ends_in_an_escape(octets: bytes) -> bool:
    """Whether the last octet is an escape that waits for a character."""
    return (len(octets) - len(octets.rstrip(bytes((ESCAPE,))))) % 2 == 1


def _joined(runs: Sequence[Decoded]) -> Decoded:
    """One text of several runs, in their charset if it is the same, else in UTF-16BE."""
    text = "".join(run.text for run in runs)
    charsets = {run.charset for run in runs}
    lossy = any(run.lossy for run in runs)
    flags = tuple(dict.fromkeys(flag for run in runs for flag in run.flags))
    if len(charsets) == 1:
        octets = b"".join(run.octets for run in runs)
        return Decoded(text, lossy, octets, runs[0].charset, flags)
    return Decoded(text, lossy, text.encode("utf-16-be"), UTF_16BE, flags)


def _message_id(part_ids: Sequence[str], *, late: bool = False) -> str:
    """32 hex digits, computed from the parts' ids and from whether they came late."""
    identity = "".join(part_ids) + (Flag.LATE_PART if late else "")
    return blake2b(identity.encode(), digest_size=16).hexdigest()


def _first_given(values: Iterable[str]) -> str:
    return next(filter(None, values), "")
