"""MO records: the callback as it came, its part, and the message of the parts."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from pipeline.records.record import Record


class Source(StrEnum):
    """The way something came from the gateway: parts (G8.3), and statuses of what was sent."""

    HTTP = "http"
    XML = "xml"
    SOAP = "soap"
    SMPP = "smpp"
    FTP = "ftp"
    STATUS_HTTP = "status-http"
    STATUS_XML = "status-xml"
    STATUS_SOAP = "status-soap"


class Flag(StrEnum):
    """What was odd about a part or message. Nothing flagged is dropped."""

    BYTE_ORDER_SWAPPED = "byte-order-swapped"
    ID_REUSED = "id-reused"
    LATE_PART = "late-part"
    MALFORMED_UDH = "malformed-udh"
    MIXED_CHARSET = "mixed-charset"
    MANY_INCOMPLETE = "many-incomplete"
    NOT_INTERNATIONAL = "not-international"
    NO_CONSENT = "no-consent"
    REPAIRED = "repaired"
    REVIEW = "review"
    RECEIPT_TIME_REPLACED = "receipt-time-replaced"
    TIMESTAMP_IMPLAUSIBLE = "timestamp-implausible"
    TIMESTAMP_UNREADABLE = "timestamp-unreadable"
    UNEXPECTED_CHARSET = "unexpected-charset"
    UNEXPECTED_DATA_CODING = "unexpected-data-coding"
    UNKNOWN_API_ID = "unknown-api-id"
    UNKNOWN_CHARSET = "unknown-charset"
    UNKNOWN_LANGUAGE_TABLE = "unknown-language-table"
    UNKNOWN_NUMBER = "unknown-number"


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """A deliver_sm whose answer has reached the gateway."""

    key: bytes
    bind: str
    delivery: int


class MoRaw(Record, frozen=True, kw_only=True):
    source: str
    received_at: datetime
    method: str
    content_type: str
    query: bytes
    octets: bytes
    alphabet: str = ""
    bind: str = ""
    delivery: int = 0
    answered: list[Answered] = []  # noqa: RUF012 - msgspec gives each its own
    neighbour_time: datetime | None = None


class MoPart(Record, frozen=True, kw_only=True):
    part_id: str
    handset: str
    number: str
    api_id: str
    mo_msg_id: str
    source: str
    gateway_time: datetime
    received_at: datetime
    charset: str
    charset_given: str
    octets: bytes
    udh: bytes
    reference_bits: int
    reference: int
    parts_total: int
    part_number: int
    network_id: str
    flags: list[str]
    raw_partition: int
    raw_offset: int


class MoMessage(Record, frozen=True, kw_only=True):
    message_id: str
    handset: str
    number: str
    text: str
    octets: bytes
    charset: str
    api_id: str
    account: str
    mo_msg_ids: list[str]
    part_ids: list[str]
    gateway_time: datetime
    received_at: datetime
    parts_total: int
    parts_missing: list[int]
    complete: bool
    lossy: bool
    flags: list[str]
    source: str
    network_id: str
