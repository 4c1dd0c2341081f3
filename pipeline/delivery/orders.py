"""The order for one attempt of a delivery, which the agent gives to the executor."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.process.tracing import Headers
    from pipeline.records import ReplyPath


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOrder:
    """The order for one attempt. `octets` is the record to hand on, as on its topic.

    `since` is the time at which that record was written. First tries of a handset are made in turn.
    `trace` is what the record that led to the order carried, where traces are on.
    """

    partition: int
    delivery_id: str
    path: ReplyPath
    kind: str
    subject_id: str
    handset: str
    octets: bytes
    attempt: int
    is_first_try: bool
    since: datetime
    trace: Headers | None = field(default=None, compare=False)
