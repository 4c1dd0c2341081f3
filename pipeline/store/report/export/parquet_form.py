"""A Parquet file, in groups of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.store.report.export.whole import type_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.store.report.lists.columns import Column

#: Rows and octets that are held for each column until they are written: small, to save memory.
_GROUP_ROWS: Final = 5_000
_PAGE_OCTETS: Final = 128 << 10


class ParquetForm:
    """Writes a list as a Parquet file."""

    def __init__(self, file: Path, columns: Sequence[Column]) -> None:
        self._schema = pa.schema([(column.name, type_of(column)) for column in columns])
        self._file = pq.ParquetWriter(
            str(file),
            self._schema,
            compression="zstd",
            data_page_size=_PAGE_OCTETS,
            dictionary_pagesize_limit=_PAGE_OCTETS,
        )

    def write(self, columns: Sequence[Any]) -> None:
        """Add rows, given as columns of Arrow."""
        if len(columns[0]):
            self._file.write_batch(pa.record_batch(columns, schema=self._schema), _GROUP_ROWS)

    def close(self) -> None:
        """Write what ends the file; nothing is added after it."""
        self._file.close()
