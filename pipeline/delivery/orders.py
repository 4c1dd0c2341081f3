"""An order: one attempt of one delivery, as the agent hands it to the executor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.records import ReplyPath


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOrder:
    """One attempt. `octets` is the record that is handed on, as on its topic.

    `since` is when that record was written. First tries of a handset are made one after the other.
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
