"""Who was forgotten: their letters stay in Kafka for a while, and must not bring them back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.cli.dead_letter.reading import records_of_kind
from pipeline.cli.terminal.failure import CommandError
from pipeline.kafka import topics
from pipeline.records import Erasure
from pipeline.suppression_key import SuppressionKeyError, key_file, read_key

if TYPE_CHECKING:
    from datetime import datetime

    from kafka import KafkaConsumer

    from pipeline.settings import Settings


class ErasedHandsets:
    """The newest erasure of each handset, known by its suppression."""

    def __init__(self, consumer: KafkaConsumer, settings: Settings) -> None:
        """Raises `CommandError` where the key is missing that says whose they are."""
        self._newest: dict[str, datetime] = {}
        for erasure in records_of_kind(consumer, topics.ERASURE, Erasure):
            known = self._newest.get(erasure.suppression, erasure.at)
            self._newest[erasure.suppression] = max(known, erasure.at)
        file = key_file(settings)
        try:
            self._key = read_key(file) if self._newest else None
        except SuppressionKeyError as error:
            raise CommandError(str(error)) from error
        if self._newest and self._key is None:
            raise CommandError(f"handsets were forgotten, and {file} that tells which is missing")

    def holds(self, handset: str, *, at: datetime) -> bool:
        """Whether the handset was forgotten since then."""
        if self._key is None:
            return False
        erased_at = self._newest.get(self._key.of(handset).hex())
        return erased_at is not None and erased_at >= at
