"""The number directory as a record."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from pipeline.records.accounts import AccountTerms
from pipeline.records.record import Record


class CustomReply(msgspec.Struct, frozen=True, kw_only=True):
    """Reply to a stop word or HELP (G7.2); `sent_by` is `us` or `gateway`."""

    word: str
    enabled: bool
    text: str | None
    sent_by: str


class Number(msgspec.Struct, frozen=True, kw_only=True):
    """A rented number or tagged range; `first` equals `last` for a single number."""

    first: str
    last: str
    kind: str
    api_id: str
    account: str
    keywords: list[str]
    premium: bool
    mt_billed: bool
    linked: str
    may_send: bool
    strict: bool
    extra_stop_words: list[str]
    custom_replies: list[CustomReply]
    stop_words: list[str] = []
    reply_path: str = ""
    mo_price_units: int | None = None
    mt_price_units: int | None = None


class ReplyWay(StrEnum):
    """How messages are handed on to an application (G8.3), and signed JSON."""

    HTTP_GET = "http-get"
    HTTP_POST = "http-post"
    XML_GET = "xml-get"
    XML_POST = "xml-post"
    SOAP_GET = "soap-get"
    SOAP_POST = "soap-post"
    WEBHOOK = "webhook"
    SMPP = "smpp"
    FTP = "ftp"
    FILE = "file"


class ReplyPath(msgspec.Struct, frozen=True, kw_only=True):
    """Where the messages of some numbers are handed on to, and how."""

    name: str
    way: str
    url: str
    unit: str
    charset: str
    ordered: bool
    events: list[str]
    internal: bool
    tls: str
    window: int
    timeout_seconds: int
    rotate_megabytes: int


class Numbers(Record, frozen=True, kw_only=True):
    loaded_at: datetime
    digest: str
    numbers: list[Number]
    sender_ids: list[str]
    reply_paths: list[ReplyPath] = []  # noqa: RUF012 - msgspec gives each its own
    accounts: list[AccountTerms] = []  # noqa: RUF012 - msgspec gives each its own
