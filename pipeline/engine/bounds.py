"""How much one record, one unit of work and one record's effects may be.

Kafka takes no record that is larger than its topic's `max.message.bytes`; what is larger than
`RECORD_OCTETS` is refused here, before a transaction holds it. Only lengths are added up.
"""

from __future__ import annotations

from typing import Final

#: Key and value of a record. The topics take 1,048,588 octets with what Kafka writes around them.
RECORD_OCTETS: Final = 1_000_000
#: A unit of work takes no further record when it has so many octets, or is so old.
UNIT_OCTETS: Final = 8 << 20
UNIT_SECONDS: Final = 2.0
#: One record may have effects of about so many octets more.
EFFECT_OCTETS: Final = 64 << 20
RECORD_OVERHEAD: Final = 32  # what a small record takes besides its key and value


class Oversize(ValueError):
    """The effects of a record are larger than what may be written; the words say which."""


class RowFailed(RuntimeError):
    """What falls due with a row cannot be done; the row can be set aside, so that time goes on."""

    def __init__(self, table: str, key: bytes) -> None:
        super().__init__(table)
        self.table = table
        self.key = key
