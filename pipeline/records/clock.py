"""The record that moves the pipeline's clock."""

from __future__ import annotations

from datetime import datetime

from pipeline.records.record import Record


class Clock(Record, frozen=True, kw_only=True):
    time: datetime
    origin: str
