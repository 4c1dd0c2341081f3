"""What messages cost: charges, the entries of the ledger, releases, credits and notices.

Amounts are in units of 1/3,000,000 credit (`pipeline/credits.py`). No record names a handset.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from pipeline.records.record import Record


class AccountMode(StrEnum):
    """What is done about the cost of an account's messages (G9)."""

    OFF = "off"
    BOOK = "book"  # a ledger, and nothing is held
    HOLD = "hold"  # a message is published once it is paid


class ChargeKind(StrEnum):
    """What is charged."""

    MO = "mo"
    MT = "mt"
    GATEWAY_CONFIRMATION = "gateway-confirmation"


class CreditKind(StrEnum):
    """What an `AccountCredit` wants."""

    CREDIT = "credit"
    CORRECTION = "correction"


class EntryKind(StrEnum):
    """Why an entry of the ledger was made."""

    CREDIT = "credit"
    MO = "mo"
    MT = "mt"
    MT_CORRECTION = "mt-correction"
    GATEWAY_CONFIRMATION = "gateway-confirmation"
    CORRECTION = "correction"


class AccountTerms(msgspec.Struct, frozen=True, kw_only=True):
    """An account of `numbers.toml`: its mode, and what a part costs."""

    name: str
    mode: str
    mo_price_units: int
    mt_price_units: int
    notify_below_units: int | None


class AccountCharge(Record, frozen=True, kw_only=True):
    charge_id: str
    account: str
    kind: str
    number: str
    parts: int
    units: int
    is_stated: bool
    is_held: bool
    home: int
    part_ids: list[str]
    flags: list[str]
    at: datetime


class AccountEntry(Record, frozen=True, kw_only=True):
    entry_id: str
    account: str
    sequence: int
    kind: str
    units: int
    balance: int
    reference: str
    number: str
    parts: int
    charged_at: datetime
    at: datetime
    actor: str
    reason: str


class AccountRelease(Record, frozen=True, kw_only=True):
    charge_id: str
    account: str
    entry_id: str
    at: datetime


class AccountCredit(Record, frozen=True, kw_only=True):
    credit_id: str
    account: str
    kind: str
    units: int
    reference: str
    actor: str
    reason: str
    requested_at: datetime


class AccountNotice(Record, frozen=True, kw_only=True):
    notice_id: str
    account: str
    balance: int
    notify_below: int
    sequence: int
    at: datetime
