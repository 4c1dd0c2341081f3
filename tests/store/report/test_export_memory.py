"""What a download takes of memory beside its rows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EVERY_FORM = """
import sys, tempfile
from datetime import UTC, datetime
from pathlib import Path
{prepare}
import pyarrow as pa
from pipeline.store.report.export.csv_columns import csv_from_columns
from pipeline.store.report.export.parquet_form import ParquetForm
from pipeline.store.report.export.xlsx_form import XlsxForm
from pipeline.store.report.lists.columns import Column

named = [Column("at", "time"), Column("text", "text")]
times = pa.array([datetime(1900, 1, 1, tzinfo=UTC)], pa.timestamp("ms", tz="UTC"))
columns = [times, pa.array(["=1"])]
columns[0][0].as_py()
csv_from_columns(columns)
with tempfile.TemporaryDirectory() as folder:
    for form in (XlsxForm, ParquetForm):
        written = form(Path(folder, form.__name__), named)
        written.write(columns)
        written.close()
sys.exit("pandas" in sys.modules)
"""
PREPARE = "from pipeline.store.report.export.arrow import prepare_arrow; prepare_arrow()"


def _ended(code: str) -> int:
    return subprocess.run([sys.executable, "-c", code], check=False).returncode


def test_no_form_loads_pandas() -> None:
    assert _ended(EVERY_FORM.format(prepare="")) == 1  # Arrow does, if it is not told
    assert _ended(EVERY_FORM.format(prepare=PREPARE)) == 0


def test_pandas_can_be_loaded_all_the_same() -> None:
    assert (
        _ended(f"{PREPARE}; import pandas, pyarrow; pyarrow.table({{'a': [1]}}).to_pandas()") == 0
    )


INSERT = """
import sys
from clickhouse_connect.datatypes.registry import get_from_name
from clickhouse_connect.driver.insert import InsertContext
from pipeline.store.clickhouse import database
{prepare}
InsertContext("erasing", ["handset"], [get_from_name("String")], [["447700900001"]])
sys.exit("pandas" in sys.modules)
"""


def test_no_insert_loads_pandas() -> None:
    assert _ended(INSERT.format(prepare="")) == 1  # the driver does, if it is not told
    assert _ended(INSERT.format(prepare="database._leave_pandas_out()")) == 0


BLOCK = """
import ctypes, os, sys
from pipeline.store.clickhouse.allocators import give_memory_back

class Counts(ctypes.Structure):  # struct mallinfo2 of glibc's malloc.h
    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks",
        "fordblks", "keepcost")]

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
if not hasattr(libc, "mallinfo2"):
    sys.exit("no glibc 2.33")
libc.mallinfo2.restype = Counts
give_memory_back()
libc.free(libc.malloc(4 << 20))  # from here on glibc would keep blocks of up to 4 MiB
before = libc.mallinfo2().hblks
libc.malloc(1 << 20)
print(libc.mallinfo2().hblks - before, os.environ["JE_MALLOC_CONF"])
"""


def _said(**environment: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", BLOCK],
        env={"PYTHONPATH": str(Path.cwd()), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout.strip()


def test_both_allocators_give_memory_back() -> None:
    assert _said() == "1 dirty_decay_ms:100,muzzy_decay_ms:0,tcache_max:4096"


def test_settings_of_the_user_stay() -> None:
    assert _said(MALLOC_MMAP_THRESHOLD_="33554432", JE_MALLOC_CONF="narenas:1") == "0 narenas:1"
