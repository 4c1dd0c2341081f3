"""What a message costs the agent while a million others wait to be tried again, rows on disk.

    python -m tests.bench.delivery.open_retries [ROWS]

A worker has no part in it: its process, its group and its databases are others.
"""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.avro import single_object
from pipeline.delivery.agent.tables import DELIVERY_TABLES
from pipeline.engine.state.disk import DiskRows, Memory
from pipeline.engine.state.rows import StateRow
from pipeline.engine.state.state import State
from pipeline.stages.delivering.row import Delivery, encode_delivery, key_of_delivery
from tests.support.delivering import CRM, NOON, DeliveryPartition, message, toml_of

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS: Final = 1_000_000
BATCH: Final = 20_000
MESSAGES: Final = 2_000
TICKS: Final = 200
#: They fall due long after what is measured.
LATER: Final = timedelta(days=1)
_NUMBER: Final = bytes([DELIVERY_TABLES.index("deliveries") + 1])


def fill(rows: DiskRows, count: int) -> None:
    """So many deliveries that wait for their time."""
    octets = single_object.encode(message("0" * 32))
    due = int((NOON + LATER).timestamp() * 1_000_000)
    for begin in range(0, count, BATCH):
        changes = {}
        for at in range(begin, min(begin + BATCH, count)):
            name, handset = f"{at:032x}", f"4478{at:08}"
            given = ("crm", "message", name, handset, "447700900100", "mo-message", at)
            delivery = Delivery(name, *given, octets, NOON, attempt=3)
            key = key_of_delivery(handset, "crm", name)
            changes[key] = StateRow(encode_delivery(delivery), due + at)
        rows.write({_NUMBER: changes}, point=None, reached=None)


def seconds_of(partition: DeliveryPartition) -> tuple[float, float]:
    """Of a message that is entered, ordered and delivered; and of a tick."""
    began = time.process_time()
    for at in range(MESSAGES):
        partition.receive(f"m{at}", f"4479{at:08}")
        partition.result(partition.next_order(), delivered=True)
    of_message = (time.process_time() - began) / MESSAGES
    began = time.process_time()
    for _ in range(TICKS):
        partition.tick()
    return of_message, (time.process_time() - began) / TICKS


def rows_of(count: int) -> Iterator[tuple[str, str]]:
    """The figures without and with so many open retries."""
    for rows_open in (0, count):
        with tempfile.TemporaryDirectory(prefix="twoway-bench-") as folder:
            rows = DiskRows(Path(folder) / "rows", identity="bench", memory=Memory())
            fill(rows, rows_open)
            state = State(DELIVERY_TABLES, rows)
            partition = DeliveryPartition(toml_of(CRM), state=state)
            of_message, of_tick = seconds_of(partition)
            rows.close()
        yield (
            f"the agent's part of a message, {rows_open:,} retries open",
            f"{1e6 * of_message:,.0f} µs; a tick {1e6 * of_tick:,.0f} µs",
        )


if __name__ == "__main__":
    for what, figure in rows_of(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS):
        sys.stdout.write(f"{what}: {figure}\n")
