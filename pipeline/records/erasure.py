"""Records of forgetting a handset: the order, and what was erased."""

from __future__ import annotations

from datetime import datetime

import msgspec

from pipeline.records.record import Record


class ForgetRequest(Record, frozen=True, kw_only=True):
    request_id: str
    handset: str
    actor: str
    reason: str
    requested_at: datetime


class ErasedRows(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows were removed from one of the agent's tables."""

    name: str
    rows: int


class KeptStop(msgspec.Struct, frozen=True, kw_only=True):
    """A scope that stays stopped when its handset is forgotten."""

    scope_kind: str
    scope: str
    state: str
    gateway_state: str
    since: datetime


class Erasure(Record, frozen=True, kw_only=True):
    erasure_id: str
    suppression: str
    key_id: str
    request_id: str
    order_offset: int
    at: datetime
    actor: str
    reason: str
    rows: list[ErasedRows]
    stops: list[KeptStop]
