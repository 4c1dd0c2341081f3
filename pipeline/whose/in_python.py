"""Finds the handsets to which a record belongs."""

from __future__ import annotations

import re
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from pipeline.sms.msisdn import address_from_text
from pipeline.whose.rules import LONGEST_NUMBER, OF_RECORD, SHORTEST_NUMBER, How, Naming

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.records import Record

_RUNS: Final = re.compile(rb"[0-9]{%d,}" % SHORTEST_NUMBER)


def handsets_of(value: Record, *, key: bytes | None) -> Iterator[str]:
    """Every handset to which a record with this key may belong; none if it belongs to nobody.

    If a field may hold a number anywhere, every number that it may hold counts.
    """
    for naming in OF_RECORD.get(type(value), ()):
        yield from _named(naming, value, key)


def handsets_within(*pieces: bytes | None) -> Iterator[str]:
    """Every number of 8 to 15 digits anywhere in the octets."""
    for piece in pieces:
        for run in _RUNS.findall(piece or b""):
            for start in range(len(run) - SHORTEST_NUMBER + 1):
                for end in range(
                    start + SHORTEST_NUMBER, min(start + LONGEST_NUMBER, len(run)) + 1
                ):
                    yield run[start:end].decode("ascii")


def text_of_key(key: bytes | None) -> str:
    """The key of a Kafka record as text, the same text as in ClickHouse."""
    return (key or b"").decode("utf-8", "replace")


def _named(naming: Naming, value: Record, key: bytes | None) -> Iterator[str]:
    match naming.how:
        case How.KEY:
            yield text_of_key(key)
        case How.DIGITS:
            digits = _text(getattr(value, naming.field))
            if digits:
                yield digits
        case How.ADDRESS:
            yield address_from_text(getattr(value, naming.field))
        case How.WITHIN:
            yield from handsets_within(_octets(getattr(value, naming.field)))
        case How.WITHIN_EACH:
            listed, _, field = naming.field.partition(".")
            elements = getattr(value, listed)
            yield from handsets_within(*map(_octets, map(attrgetter(field), elements)))


def _text(held: str | bytes | None) -> str:
    return held if isinstance(held, str) else text_of_key(held)


def _octets(held: str | bytes | None) -> bytes | None:
    return held.encode() if isinstance(held, str) else held
