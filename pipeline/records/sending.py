"""Records about commands: a sender's asks and results, and the states that the worker publishes."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pipeline.records.record import Record


class Outcome(StrEnum):
    """The outcome of a command."""

    SUBMITTED = "submitted"
    FAILED = "failed"
    UNKNOWN = "unknown"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"


class CommandState(StrEnum):
    """The state of a command. `waiting` to `unknown` are open; others may still be corrected."""

    WAITING = "waiting"
    PERMITTED = "permitted"
    UNKNOWN = "unknown"
    FAILED = "failed"
    SUBMITTED = "submitted"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    REFUSED = "refused"


class AskKind(StrEnum):
    """What a sender asks the worker for."""

    ASK = "ask"
    WITHDRAW = "withdraw"


class SeenBy(StrEnum):
    """The source of a state: the report or event that it rests on."""

    GATE = "gate"
    ASK = "ask"
    ANSWER = "answer"
    CALLBACK = "callback"
    RECEIPT = "receipt"
    QUERY = "query"
    LAPSE = "lapse"
    OPERATOR = "operator"
    STOP = "stop"


class MtResult(Record, frozen=True, kw_only=True):
    result_id: str
    command_id: str
    request_id: str
    handset: str
    outcome: str
    final: bool
    gateway_message_id: str
    code: str
    words: str
    attempt: int
    at: datetime
    way: str = ""
    api_id: str = ""
    holder: str = ""
    part_number: int = 0
    gateway_message_ids: list[str] = []  # noqa: RUF012 - msgspec gives each its own
    status: str = ""
    charge: str = ""
    gateway_at: datetime | None = None
    source: str = SeenBy.ANSWER.value
    is_temporary: bool = False
    retry_after_seconds: int = 0


class MtAsk(Record, frozen=True, kw_only=True):
    ask_id: str
    kind: str
    command_id: str
    handset: str
    sender_id: str
    attempt: int
    holder: str
    at: datetime


class MtState(Record, frozen=True, kw_only=True):
    state_id: str
    command_id: str
    request_id: str
    handset: str
    state: str
    attempt: int
    parts: list[int]
    holder: str
    until: datetime | None
    retry_at: datetime | None
    behind: str
    gateway_message_ids: list[str]
    code: str
    words: str
    charge: str
    charge_units: int
    source: str
    ask_gateway: bool
    consent_asked_at: datetime | None
    at: datetime
