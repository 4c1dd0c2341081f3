"""What Arrow takes of memory beside the columns, kept small."""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder

import pyarrow as pa


class _NoPandas(MetaPathFinder):
    def find_spec(self, fullname: str, path: object, target: object = None) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError(name=fullname)


def prepare_arrow() -> None:
    """Call it before the first column is made.

    Arrow imports pandas when it makes its first column from values of Python, if pandas is
    installed; the embedded engine asks for pandas. Nothing here uses pandas, and it takes 24 MB.
    Arrow looks for pandas once, so it is told once that there is none.
    """
    if "pandas" not in sys.modules:
        finder = _NoPandas()
        sys.meta_path.insert(0, finder)
        try:
            pa.array([""])  # the Cython and the C++ of Arrow look for it each by itself
        finally:
            sys.meta_path.remove(finder)
    # Arrow's own allocator keeps what each thread of the executor once needed, about 80 MB.
    pa.set_memory_pool(pa.system_memory_pool())
