"""After an erasure no file of the agent's database holds the handset, whatever it was at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.delivery.agent.tables import DELIVERY_TABLES
from pipeline.engine.state.disk import DiskRows, Memory
from pipeline.engine.state.state import State
from tests.delivery.agent.test_agent import forget
from tests.support.delivering import CRM, DeliveryPartition, toml_of

if TYPE_CHECKING:
    from pathlib import Path


#: Without a run of equal digits, which a compressed block would hold in another form.
FORGOTTEN, OTHER = "447912345678", "447986543217"


def test_no_file_holds_the_number_of_a_forgotten_handset(tmp_path: Path) -> None:
    rows = DiskRows(tmp_path / "rows", identity="test", memory=Memory())
    partition = DeliveryPartition(
        toml_of(CRM + "window = 2\nordered = true\n"), state=State(DELIVERY_TABLES, rows)
    )
    partition.receive("delivered", FORGOTTEN)
    partition.result(partition.next_order(), delivered=True)
    partition.receive("failed", FORGOTTEN)
    partition.result(partition.next_order())
    partition.receive("behind", FORGOTTEN)
    partition.receive("other", OTHER)
    assert holding(tmp_path, FORGOTTEN)
    forget(partition, FORGOTTEN)
    rows.close()
    assert holding(tmp_path, FORGOTTEN) == []
    assert holding(tmp_path, OTHER), "the others are still there"


def holding(folder: Path, digits: str) -> list[str]:
    """The files that hold the digits."""
    files = (file for file in folder.rglob("*") if file.is_file())
    return [file.name for file in files if digits.encode() in file.read_bytes()]
