"""The base of every record. Times are aware UTC."""

from __future__ import annotations

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every record; the class name is the Avro record's name."""
