"""Tells whether a handset was forgotten: its dead letters are still in Kafka, but not retried."""

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
        """Raises `CommandError` if there are erasures and the suppression key is missing."""
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
            raise CommandError(
                f"handsets were forgotten, but the suppression key {file} is missing, so it cannot"
                " be told which"
            )

    def holds(self, handset: str, *, at: datetime) -> bool:
        """Whether the handset was forgotten at `at` or later."""
        if self._key is None:
            return False
        erased_at = self._newest.get(self._key.of(handset).hex())
        return erased_at is not None and erased_at >= at
