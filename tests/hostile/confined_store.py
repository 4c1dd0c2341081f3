"""`python -m tests.hostile.confined_store KIND HOME KEY PATH…`: asks an engine directly.

No check of a statement and no role prevents anything here: only the kernel refuses. It prints lines
of JSON: what the engine says of each path, or how many octets it read. It writes to one file only,
beside the home: without confinement, the engine would write to any file.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import json
import sys
from pathlib import Path

from clickhouse_connect.driver.exceptions import ClickHouseError

from pipeline.settings import Settings
from pipeline.store.clickhouse.database import Database
from pipeline.store.confinement import Confinement

#: Of `getauxval(3)`: the address of the kernel's shared object.
AT_SYSINFO_EHDR = 33
READ_ALL = "SELECT length(file({path:String}))"
READ_TABLE = "SELECT sum(length(raw_blob)) FROM file({path:String}, RawBLOB)"
WRITE = "INSERT INTO FUNCTION file({path:String}, RawBLOB, 'a String') SELECT 'written'"


def move_environment() -> ctypes.Array[ctypes.c_void_p]:
    """Move the environment, as setting a variable may; what lies behind it is no auxiliary vector.

    A program that takes it for one reads an address where nothing is. Keep the answer.
    """
    environment = ctypes.c_void_p.in_dll(ctypes.CDLL(None), "environ")
    strings = ctypes.cast(environment.value or 0, ctypes.POINTER(ctypes.c_void_p))
    count = next(index for index in itertools.count() if not strings[index])
    moved = (ctypes.c_void_p * (count + 5))(*strings[:count], None, AT_SYSINFO_EHDR, 1, None, None)
    environment.value = ctypes.addressof(moved)
    return moved


def main(home: Path, key: Path, *paths: str, confined: bool) -> None:
    confinement = Confinement(home)
    with contextlib.ExitStack() as stack:
        if confined:
            stack.enter_context(confinement)
        moved = move_environment()
        database = stack.enter_context(Database(Settings(home=home)))
        held = confinement.read_key(key)
        print(json.dumps(["key", "", held.fingerprint.hex() if held else ""]))
        written = str(home.with_name("written"))
        asked = [(path, statement) for path in paths for statement in (READ_ALL, READ_TABLE)]
        for path, statement in [*asked, (written, WRITE)]:
            try:
                said = database.writing.command(statement, parameters={"path": path})
            except ClickHouseError as error:
                said = str(error)
            print(json.dumps([path, statement.split("(")[0], str(said)[:400]]))
        del moved  # until here it is the environment


if __name__ == "__main__":
    kind, home, key, *paths = sys.argv[1:]
    main(Path(home), Path(key), *paths, confined=kind == "confined")
