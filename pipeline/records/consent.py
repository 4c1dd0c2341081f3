"""Consent records: a change, and an operator's order; and what both say of a scope."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from pipeline.records.record import Record


class ConsentState(StrEnum):
    """Consent in one scope, ours or the gateway's. Only `open` lets an MT pass."""

    OPEN = "open"
    CONFIRMATION_DUE = "confirmation-due"
    STOPPED = "stopped"


class ConsentRule(StrEnum):
    """Why consent changed (G7)."""

    STOP_WORD = "stop-word"
    STOP_ALL = "stop-all"
    KEYWORD_STOP = "keyword-stop"
    RE_ENABLED = "re-enabled"
    CONFIRMED = "confirmed"
    GATEWAY_CONFIRMED = "gateway-confirmed"
    OPERATOR = "operator"
    SUPPRESSION = "suppression"
    GATEWAY_SAID = "gateway-said"


class ConsentAction(StrEnum):
    """What a `ConsentRequest` orders; `accept` and `dismiss` decide a review."""

    STOP = "stop"
    OPEN = "open"
    ACCEPT = "accept"
    DISMISS = "dismiss"


class ScopeKind(StrEnum):
    """What a stop applies to."""

    NUMBER = "number"
    RANGE = "range"
    KEYWORD = "keyword"
    ACCOUNT = "account"


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """A scope: `number`/digits, `range`/first-last, `keyword`/code/KEYWORD, `account`/name."""

    scope_kind: str
    scope: str


class ConsentChange(Record, frozen=True, kw_only=True):
    change_id: str
    handset: str
    scope_kind: str
    scope: str
    state: str
    gateway_state: str
    previous_state: str
    previous_gateway_state: str
    rule: str
    mo_message_id: str
    number: str
    at: datetime
    recorded_at: datetime
    confirmation_due_at: datetime | None = None
    confirmation_deadline: datetime | None = None
    actor: str = ""
    reason: str = ""


class ConsentRequest(Record, frozen=True, kw_only=True):
    request_id: str
    handset: str
    number: str = ""
    keyword: str = ""
    account: str = ""
    action: str
    mo_message_id: str = ""
    actor: str
    reason: str
    requested_at: datetime
