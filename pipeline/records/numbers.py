"""The number directory as a record."""

from __future__ import annotations

from datetime import datetime

import msgspec

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


class Numbers(Record, frozen=True, kw_only=True):
    loaded_at: datetime
    digest: str
    numbers: list[Number]
    sender_ids: list[str]
