"""The formats of downloads."""

from __future__ import annotations

from typing import Final

#: Format -> media type.
FORMATS: Final = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}
