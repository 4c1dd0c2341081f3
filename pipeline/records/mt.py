"""MT records: the request, then the command or the rejection."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pipeline.records.consent import Scope
from pipeline.records.record import Record


class Purpose(StrEnum):
    """Why an MT is sent."""

    REPLY = "reply"
    CONFIRMATION = "confirmation"
    CUSTOM_REPLY = "custom-reply"
    HELP = "help"


class GateRule(StrEnum):
    """Why an MT is not sent, in the order the gate asks.

    `expired` and `opted-out-before-sent` are of commands that wait to be sent, too.
    """

    OPTED_OUT = "opted-out"
    NOT_INTERNATIONAL = "not-international"
    OWN_NUMBER = "own-number"
    SENDER_NOT_ALLOWED = "sender-not-allowed"
    KEYWORD_NEEDED = "keyword-needed"
    TEXT_EMPTY = "text-empty"
    TEXT_TOO_LONG = "text-too-long"
    CONFIRMATION_NOT_DUE = "confirmation-not-due"
    ID_REUSED = "id-reused"
    EXPIRED = "expired"
    TOO_MANY_OPEN = "too-many-open"
    OPTED_OUT_BEFORE_SENT = "opted-out-before-sent"


class MtRequest(Record, frozen=True, kw_only=True):
    request_id: str
    to: str
    text: str
    sender_id: str | None = None
    keyword: str | None = None
    api_id: str | None = None
    confirms_opt_out: bool = False
    requested_at: datetime
    not_after: datetime | None = None


class MtCommand(Record, frozen=True, kw_only=True):
    command_id: str
    request_id: str
    purpose: str
    sender_id: str
    handset: str
    text: str
    mo: bool
    reply_expected: bool
    reply_note: str
    at: datetime
    not_after: datetime
    scopes: list[Scope]
    api_id: str
    account: str
    keyword: str
    encoding: str
    parts: int
    mo_message_id: str


class MtRejection(Record, frozen=True, kw_only=True):
    rejection_id: str
    request_id: str
    command_id: str = ""
    handset: str
    sender_id: str
    rule: str
    detail: str
    mo_message_id: str
    caused_at: datetime | None = None
    scope_kind: str = ""
    scope: str = ""
    at: datetime
