"""A record batch of Arrow as the caller may see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipeline.store.report.masking.columns_seen import masked_rows

if TYPE_CHECKING:
    from pipeline.store.report.masking.seal import Seal
    from pipeline.store.report.masking.sight import Sight

#: The hash of an id, by which an export joins lines with what became of them. It is sealed and not
#: emptied: equal keys must stay equal, and other keys different.
_KEY: Final = "key"


def masked_batch(batch: Any, sight: Sight, seal: Seal) -> Any:
    """The batch with every column masked as the rows of a page are."""
    import pyarrow as pa  # takes memory that a store without exports need not have

    names = batch.schema.names
    values = [column.to_pylist() for column in batch.columns]
    rows = masked_rows(names, list(zip(*values, strict=True)), sight, seal)
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    arrays = []
    for name, field, plain, seen in zip(names, batch.schema, values, columns, strict=True):
        if name == _KEY:
            arrays.append(pa.array([seal.sealed(each.hex()) for each in plain], pa.string()))
        else:
            arrays.append(pa.array(seen, field.type))
    return pa.RecordBatch.from_arrays(arrays, names=names)
