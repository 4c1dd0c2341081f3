"""Python and SQL agree on whose a record is, on the real engine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
import pytest

from pipeline import records
from pipeline.avro.single_object import snake_from_camel
from pipeline.cli.forget.proof import _COUNTS
from pipeline.settings import Settings
from pipeline.store.clickhouse.database import Database
from pipeline.store.decoding import TABLE_OF
from pipeline.store.query.questions import Questions
from pipeline.store.rows import STORED_OF_HANDSETS, columns_of, row_from_record
from pipeline.whose.in_python import handsets_of
from pipeline.whose.in_sql import HandsetTest, where
from pipeline.whose.rules import COPIES, OF_RECORD, How
from tests.store.samples import AT_MS, SAMPLES
from tests.support.migrated import migrated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.records import Record

HANDSET = "447700900001"
SHORT = "4477009"  # 7 digits: too short to be looked for within octets
#: What `str.strip` takes off: a handset behind it is a handset (`address_from_text`).
BLANKS = [each for each in map(chr, range(0x110000)) if each.isspace()]
#: What stands in the place that names the handset.
SPELLINGS = [
    HANDSET,
    f"+{HANDSET}",
    f" +{HANDSET} ",
    f" {HANDSET}",
    *(f"{blank}+{HANDSET}{blank}" for blank in BLANKS),
    f"++{HANDSET}",
    f"00{HANDSET}",
    f"from=%2B{HANDSET}&",
    HANDSET[:-1],
    f"{HANDSET}000001",
    SHORT,
    "447700900002",
    "",
    "Bank",
]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database(Settings(home=migrated(tmp_path))) as opened:
        yield opened


def anonymous(kind: type[Record]) -> Record:
    """A sample of the record that names no handset."""
    sample = next(sample for sample in SAMPLES if type(sample) is kind)
    changes: dict[str, object] = {}
    for naming in OF_RECORD[kind]:
        listed, _, _ = naming.field.partition(".")
        if naming.how is How.WITHIN_EACH:
            changes[listed] = []
        elif naming.how is not How.KEY:
            held = getattr(sample, naming.field)
            changes[naming.field] = "" if isinstance(held, str) else b""
    return msgspec.structs.replace(sample, **changes)


def cases() -> Iterator[tuple[Record, bytes]]:
    """Every record with every spelling in every place that may name a handset, and its key."""
    for kind in STORED_OF_HANDSETS:
        namings = OF_RECORD[kind]
        blank = anonymous(kind)
        for naming in namings:
            listed, _, _ = naming.field.partition(".")
            for spelling in SPELLINGS:
                if naming.how is How.KEY:
                    yield blank, spelling.encode()
                elif naming.how is How.WITHIN_EACH:
                    headers = [records.Header(name="q", value=spelling.encode())]
                    yield msgspec.structs.replace(blank, **{listed: headers}), b""
                else:
                    held = getattr(blank, naming.field)
                    value = spelling if isinstance(held, str) else spelling.encode()
                    yield msgspec.structs.replace(blank, **{naming.field: value}), b""


@pytest.mark.parametrize("handset", [HANDSET, SHORT, "447700900002"])
def test_sql_finds_the_rows_that_python_knows_to_be_the_handsets(
    database: Database, handset: str
) -> None:
    client = database.writing
    wanted: dict[type[Record], list[int]] = {kind: [] for kind in STORED_OF_HANDSETS}
    rows: dict[type[Record], list[tuple[object, ...]]] = {kind: [] for kind in STORED_OF_HANDSETS}
    for offset, (record, key) in enumerate(cases()):
        kind = type(record)
        rows[kind].append(
            row_from_record(record, key=key, partition=0, offset=offset, written_ms=AT_MS)
        )
        if handset in handsets_of(record, key=key):
            wanted[kind].append(offset)
    asked = HandsetTest(is_one=f"= '{handset}'", array=f"['{handset}']")
    found = {}
    for kind, taken in rows.items():
        client.insert(TABLE_OF[kind], taken, column_names=columns_of(kind))
        sql = f"SELECT kafka_offset FROM twoway.{TABLE_OF[kind]} WHERE {where(kind, asked)}"
        found[kind] = sorted(offset for (offset,) in client.query(sql).result_rows)
    assert found == wanted
    assert sum(map(len, wanted.values())) >= len(STORED_OF_HANDSETS)


async def test_the_count_of_the_proof_passes_the_reports_fences(database: Database) -> None:
    for sample in SAMPLES:
        if type(sample) in STORED_OF_HANDSETS:
            kind = type(sample)
            row = row_from_record(
                sample, key=b"27820000001", partition=0, offset=1, written_ms=AT_MS
            )
            database.writing.insert(TABLE_OF[kind], [row], column_names=columns_of(kind))
    lines = await Questions(database).json_lines(_COUNTS, {"h": "27820000001"})
    counted = {row["view"]: int(row["n"]) for row in map(json.loads, lines.splitlines())}
    views = {snake_from_camel(kind.__name__) for kind in STORED_OF_HANDSETS}
    assert set(counted) == views | {table.removesuffix("_rows") for table in COPIES}
    assert counted["mo_raw"] == 1
