"""An installation from before the partitions by `written_at`, and its migration, which is killed.

python moved_store.py fill HOME       rows in every table, in one of 240 stated months
python moved_store.py move HOME [N]   migrate; SIGKILL before the N-th statement of the move
"""

from __future__ import annotations

import os
import signal
import sys
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import structs

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from pipeline.records import MoMessage, Numbers
from pipeline.settings import Settings
from pipeline.store.clickhouse import database, migrations, repartition
from pipeline.store.decoding import TABLE_OF
from pipeline.store.rows import columns_of, row_from_record
from tests.store.samples import SAMPLES
from tests.store.sink.test_many_months import stating
from tests.support.replacing import replace_in

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

MONTHS = {MoMessage: 240}
FEW_MONTHS = 4
#: Small, so that that table is moved in several steps.
ROWS_AT_ONCE = 107
ADDED = 12


def fill(home: Path) -> None:
    """One row a month."""
    earlier = [each for each in migrations.migrations_in() if each.number < ADDED]
    replace_in(database, migrations_in=lambda: earlier)
    with database.Database(Settings(home=home)) as opened:
        known = defaultdict(set)
        found = opened.writing.query(
            "SELECT table, name FROM system.columns WHERE database = 'twoway'"
        )
        for table, name in found.result_rows:
            known[table].add(name)
        for each in SAMPLES:
            # A number had fewer fields then.
            sample = structs.replace(each, numbers=[]) if isinstance(each, Numbers) else each
            kind = type(sample)
            if TABLE_OF[kind] not in known:
                continue  # of a later migration
            columns = [name for name in columns_of(kind) if name in known[TABLE_OF[kind]]]
            places = [columns_of(kind).index(name) for name in columns]
            rows = [
                row_from_record(
                    stating(sample, datetime(1990 + month // 12, month % 12 + 1, 3, tzinfo=UTC)),
                    key=b"447700900001",
                    partition=3,
                    offset=month,
                    written_ms=0,
                )
                for month in range(MONTHS.get(kind, FEW_MONTHS))
            ]
            opened.writing.insert(
                TABLE_OF[kind],
                [[row[place] for place in places] for row in rows],
                column_names=columns,
                settings={"max_partitions_per_insert_block": 0},
            )


class DeadlyClient:
    """Kills the process before the n-th statement."""

    def __init__(self, client: Client, burn_at: int) -> None:
        self._client = client
        self._left = burn_at
        self.query = client.query

    def command(self, sql: str, **given: Any) -> Any:
        self._left -= 1
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)
        return self._client.command(sql, **given)


def move(home: Path, burn_at: int) -> None:
    """Migrate, and kill the process meanwhile."""
    replace_in(repartition, ROWS_AT_ONCE=ROWS_AT_ONCE)

    def moved(client: Client) -> None:
        repartition.repartition(DeadlyClient(client, burn_at))  # type: ignore[arg-type]

    replace_in(migrations, _AFTER={ADDED: moved})
    with database.Database(Settings(home=home)):
        pass


if __name__ == "__main__":
    what, folder, *burn_at = sys.argv[1:]
    if what == "fill":
        fill(Path(folder))
    else:
        move(Path(folder), int(burn_at[0]) if burn_at else 0)
