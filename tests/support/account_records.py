"""Records of accounts for tests, and a ledger that books them in the plainest way."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from pipeline.records import (
    AccountCharge,
    AccountEntry,
    AccountRelease,
    AccountTerms,
    MoPart,
    Numbers,
    Record,
)
from pipeline.store.clickhouse.writer import ClickHouseWriter
from pipeline.store.decoding import TABLE_OF, TableRows
from pipeline.store.rows import columns_of, row_from_record

if TYPE_CHECKING:
    from pipeline.store.clickhouse.database import Database

CREDIT: Final = 3_000_000
THIRD: Final = 1_000_000
FIRST: Final = datetime(2026, 3, 1, 9, 0, 0, tzinfo=UTC)
NUMBER: Final = "88801"


class PlainLedger:
    """Entries with a sequence and a balance, as the ledger must have them."""

    def __init__(self, account: str = "main") -> None:
        self.account = account
        self.records: list[Record] = []
        self.balance = 0
        self.sequence = 0

    def book(self, kind: str, units: int, at: datetime, **fields: Any) -> AccountEntry:
        """Book an amount."""
        self.sequence += 1
        self.balance += units
        given: dict[str, Any] = {
            "entry_id": f"{self.account}-{self.sequence}",
            "account": self.account,
            "sequence": self.sequence,
            "kind": kind,
            "units": units,
            "balance": self.balance,
            "reference": f"{kind}-{self.sequence}",
            "number": "" if kind in ("credit", "correction") else NUMBER,
            "parts": 0 if kind in ("credit", "correction") else 1,
            "charged_at": at,
            "at": at,
            "actor": "",
            "reason": "",
        }
        entry = AccountEntry(**given | fields)
        self.records.append(entry)
        return entry

    def hold(self, id: str, at: datetime, **fields: Any) -> AccountCharge:
        """Charge a message that waits."""
        charge = charge_of(id, at, account=self.account, **fields)
        self.records.append(charge)
        return charge

    def release(self, charge: AccountCharge, at: datetime) -> None:
        """Book a held charge, and let its message go."""
        entry = self.book(
            "mo", -charge.units, at, reference=charge.charge_id, charged_at=charge.at,
            parts=charge.parts,
        )  # fmt: skip
        self.records.append(
            AccountRelease(
                charge_id=charge.charge_id, account=self.account, entry_id=entry.entry_id, at=at
            )
        )


def charge_of(id: str, at: datetime, **fields: Any) -> AccountCharge:
    """The charge of a message in, held."""
    given: dict[str, Any] = {
        "charge_id": id,
        "account": "main",
        "kind": "mo",
        "number": NUMBER,
        "parts": 1,
        "units": THIRD,
        "is_stated": False,
        "is_held": True,
        "home": 0,
        "part_ids": [f"part-{id}"],
        "flags": [],
        "at": at,
    }
    return AccountCharge(**given | fields)


def part_of(id: str, mo_msg_id: str, at: datetime, handset: str = "447700900001") -> MoPart:
    """A part as it came from the gateway, under the gateway's own id."""
    return MoPart(
        part_id=f"part-{id}", handset=handset, number=NUMBER, api_id="1", mo_msg_id=mo_msg_id,
        source="http", gateway_time=at, received_at=at, charset="ISO-8859-1", charset_given="",
        octets=b"secret words", udh=b"", reference_bits=0, reference=0, parts_total=1,
        part_number=1, network_id="", flags=[], raw_partition=0, raw_offset=0,
    )  # fmt: skip


def listed(*accounts: AccountTerms, at: datetime = FIRST) -> Numbers:
    """A directory of accounts alone."""
    return Numbers(digest="d", loaded_at=at, numbers=[], sender_ids=[], accounts=list(accounts))


def account_of(name: str = "main", *, mode: str = "hold", below: int | None = None) -> AccountTerms:
    """An account at the guide's standard charge (G9)."""
    return AccountTerms(
        name=name, mode=mode, mo_price_units=THIRD, mt_price_units=CREDIT, notify_below_units=below
    )


def store_records(database: Database, records: list[Record], *, tag: str) -> None:
    """Store records, those of a kind in one block, in their order."""
    blocks: dict[type[Record], list[Any]] = defaultdict(list)
    for offset, record in enumerate(records):
        written = getattr(record, "at", None) or getattr(record, "loaded_at", FIRST)
        row = row_from_record(
            record,
            key=str(getattr(record, "handset", "main")).encode(),
            partition=0,
            offset=offset,
            written_ms=int(written.timestamp() * 1000),
        )
        blocks[type(record)].append(row)
    writer = ClickHouseWriter(database.writing)
    for kind, rows in blocks.items():
        block = TableRows(TABLE_OF[kind], columns_of(kind), rows)
        asyncio.run(writer.insert(block, tag=f"{tag} {kind.__name__}"))
    writer.close()


def minutes(count: float) -> datetime:
    """So many minutes after `FIRST`."""
    return FIRST + timedelta(minutes=count)
