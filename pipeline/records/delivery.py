"""What is handed on to the customer's own application: orders, results, and requests about them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pipeline.records.record import Record


class DeliveryKind(StrEnum):
    """What is handed on."""

    MESSAGE = "message"
    PART = "part"
    CONSENT = "consent"
    RESULT = "result"


class DeliveryState(StrEnum):
    """How a delivery stands, as the agent decided it. A delivered one is told by its result."""

    WAITING = "waiting"
    ORDERED = "ordered"
    GIVEN_UP = "given-up"


class DeliveryOutcome(StrEnum):
    """What was seen of an attempt."""

    DELIVERED = "delivered"
    FAILED = "failed"
    WAITING = "waiting"  # nobody is bound: no attempt was made


class DeliveryAction(StrEnum):
    """What a `DeliveryRequest` wants."""

    RETRY = "retry"
    REPLAY = "replay"


class MoDelivery(Record, frozen=True, kw_only=True):
    delivery_id: str
    path: str
    kind: str
    subject_id: str
    handset: str
    number: str
    state: str
    attempt: int
    due_at: datetime | None
    at: datetime


class MoDeliveryResult(Record, frozen=True, kw_only=True):
    delivery_id: str
    path: str
    kind: str
    subject_id: str
    handset: str
    attempt: int
    outcome: str
    status: str
    words: str
    duration_ms: int
    retry_after_seconds: int
    is_throttled: bool
    at: datetime


class DeliveryRequest(Record, frozen=True, kw_only=True):
    request_id: str
    action: str
    delivery_id: str
    path: str
    handset: str
    topic: str
    octets: bytes
    actor: str
    requested_at: datetime
