"""Records that the store must not keep, because their handset was forgotten after them."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.records import MtResult, MtState, Record
from pipeline.whose.in_python import handsets_of, handsets_within, text_of_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiokafka.structs import ConsumerRecord

    from pipeline.suppression_key import SuppressionKey

#: A record written this soon after an erasure counts as older: another process with another clock
#: may have decided it before the erasure.
SLACK_MS: Final = 1_000


class Forgotten:
    """The forgotten handsets, by suppression, each with the Kafka time up to which it is erased."""

    def __init__(self, key: SuppressionKey | None = None) -> None:
        self._key = key
        self._until: dict[bytes, int] = {}
        self._latest = -1

    @property
    def has_key(self) -> bool:
        """Whether forgotten handsets can be recognised."""
        return self._key is not None

    def take_key(self, key: SuppressionKey) -> None:
        """Use the key of the suppressions."""
        self._key = key

    def note(self, suppression: bytes, until_ms: int) -> None:
        """Note that the handset's records up to `until_ms` are erased."""
        self._until[suppression] = max(until_ms, self._until.get(suppression, -1))
        self._latest = max(self._latest, until_ms)

    def as_kept(self, record: ConsumerRecord, value: Record) -> Record | None:
        """The value as it may be stored; None if its handset was forgotten after it.

        A result or a state may come when its handset is long forgotten: it is stored without what
        names it, and found by its command, which is there if it is younger.
        """
        if self._key is None or not self._until:
            return value
        if record.timestamp <= self._latest and self._is_erased(
            record, handsets_of(value, key=record.key)
        ):
            return None
        if isinstance(value, MtResult | MtState) and self._key.of(value.handset) in self._until:
            return msgspec.structs.replace(value, handset="", request_id="", words="")
        return value

    def keeps_unreadable(self, record: ConsumerRecord) -> bool:
        """Whether a record that cannot be read may be stored as a dead letter."""
        if self._key is None or record.timestamp > self._latest:
            return True
        handsets = chain([text_of_key(record.key)], handsets_within(record.value))
        return not self._is_erased(record, handsets)

    def _is_erased(self, record: ConsumerRecord, handsets: Iterable[str]) -> bool:
        key = self._key
        return key is not None and any(
            self._until.get(key.of(handset), -1) >= record.timestamp for handset in handsets
        )
