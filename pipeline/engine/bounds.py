"""The largest size of a record, of a unit of work, and of the effects of one record.

Kafka refuses a record that is larger than its topic's `max.message.bytes`. A record larger than
`RECORD_OCTETS` is refused here, before it is in a transaction. Only lengths are added up.
"""

from __future__ import annotations

from typing import Final

#: Key and value of a record. The topics accept 1,048,588 octets, with Kafka's own octets.
RECORD_OCTETS: Final = 1_000_000
#: A unit of work takes no more records when it has this many octets, or is this old.
UNIT_OCTETS: Final = 8 << 20
UNIT_SECONDS: Final = 2.0
#: The effects of its last record may exceed the unit by about this many octets.
EFFECT_OCTETS: Final = 64 << 20
RECORD_OVERHEAD: Final = 32  # the octets of a small record besides its key and value


class Oversize(ValueError):
    """A record, or the effects of a record, are too large to be written; the words say which."""


class RowFailed(RuntimeError):
    """A row that fell due cannot be processed; it can be set aside, so that time goes on."""

    def __init__(self, table: str, key: bytes) -> None:
        super().__init__(table)
        self.table = table
        self.key = key
