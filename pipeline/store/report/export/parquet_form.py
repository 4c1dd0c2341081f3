"""A Parquet file, a group of rows for each page that was read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.store.report.lists.columns import Column

_TYPES: Final = {
    "time": pa.timestamp("ms", tz="UTC"),
    "day": pa.timestamp("ms", tz="UTC"),
    "count": pa.int64(),
    "yes": pa.bool_(),
    "flags": pa.list_(pa.string()),
}


class ParquetForm:
    """Writes a list as a Parquet file."""

    def __init__(self, file: Path, columns: Sequence[Column]) -> None:
        self._schema = pa.schema(
            [(column.name, _TYPES.get(column.kind, pa.string())) for column in columns]
        )
        self._file = pq.ParquetWriter(str(file), self._schema, compression="zstd")

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        """Add rows."""
        if not rows:
            return
        arrays = [
            pa.array(
                [_as_list(value) if pa.types.is_list(field.type) else value for value in column],
                type=field.type,
            )
            for field, column in zip(self._schema, zip(*rows, strict=True), strict=True)
        ]
        self._file.write_batch(pa.record_batch(arrays, schema=self._schema))

    def close(self) -> None:
        """Write what ends the file; nothing is added after it."""
        self._file.close()


def _as_list(value: Any) -> list[str]:
    return [str(each) for each in value]
