"""Refusal: as a value of a stage, as a dead letter, and what a retry gave."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from pipeline.records.record import Record


class Stage(StrEnum):
    """Where something was refused."""

    INGEST = "ingest"
    NORMALISE = "normalise"
    CONSENT = "consent"
    GATE = "gate"
    SENDING = "sending"
    DELIVERING = "delivering"
    ACCOUNTS = "accounts"
    STORE = "store"


class Reason(StrEnum):
    """Why something went to the dead letter."""

    MISSING_FROM = "missing-from"
    MISSING_TO = "missing-to"
    BROKEN_PERCENT_ENCODING = "broken-percent-encoding"
    NOT_XML = "not-xml"
    UNREADABLE_RECORD = "unreadable-record"
    WRONG_ORDER = "wrong-order"
    FAILED = "failed"
    TOO_LONG = "too-long"
    TOO_LARGE = "too-large"
    TIME_NOT_BELIEVED = "time-not-believed"
    DELIVERY_GIVEN_UP = "delivery-given-up"


class Rejected(msgspec.Struct, frozen=True):
    """Bad data, as a value: it goes to the dead letter and the offset moves."""

    reason: Reason
    words: str


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """A header of the record or request that was refused."""

    name: str
    value: bytes


class DeadLetter(Record, frozen=True, kw_only=True):
    dead_letter_id: str
    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: list[Header]
    octets: bytes
    source: str
    stage: str
    reason: str
    words: str
    at: datetime
    whole_length: int = 0
    whole_sha256: str = ""


class DeadLetterRetry(Record, frozen=True, kw_only=True):
    dead_letter_id: str
    topic: str
    reason: str
    words: str
    actor: str
    at: datetime
