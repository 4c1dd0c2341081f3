"""What somebody took out of the report, or decided in it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pipeline.records.record import Record


class AccessAction(StrEnum):
    """What was done in the report."""

    DOWNLOAD = "download"
    DECIDE = "decide"
    SQL = "sql"


class ReportAccess(Record, frozen=True, kw_only=True):
    access_id: str
    action: str
    actor: str
    signed_in_by: str
    address: str
    rights: list[str]
    what: str
    given: str
    at: datetime
