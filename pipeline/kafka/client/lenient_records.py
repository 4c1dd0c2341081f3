"""Makes consumers read header keys that are not UTF-8.

A producer may write any octets as a key, and no broker checks them. aiokafka 0.14.0, which is
pinned, raises UnicodeDecodeError for the whole fetch, at every attempt. Here the rest of such a
fetch is read by aiokafka's slower Python form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.legacy_records import LegacyRecordBatch
from aiokafka.record.memory_records import MemoryRecords

if TYPE_CHECKING:
    from collections.abc import Iterator

_LENGTH: Final = slice(8, 12)  # where a batch has its length, which counts the octets after it
_MAGIC: Final = 16
_OVERHEAD: Final = 12


class _KeptRecords(MemoryRecords):  # type: ignore[misc]
    """aiokafka's class, which also keeps the octets."""

    def __init__(self, octets: bytes) -> None:
        super().__init__(octets)
        self.octets = octets


class _Octets(bytearray):
    """Octets whose parts always decode: octets that are not UTF-8 become the text `\\xff`."""

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return _Octets(found) if isinstance(at, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        return super().decode(encoding, errors)


class _LenientBatch(_DefaultRecordBatchPy):  # type: ignore[misc]
    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer: Any = _Octets(self._buffer)


class _LenientRecords:
    """The batches of a fetch, beginning with the batch that holds `offset`."""

    def __init__(self, octets: bytes, offset: int) -> None:
        self._batches = [batch for batch in _batches_of(octets) if batch.next_offset > offset]

    def has_next(self) -> bool:
        return bool(self._batches)

    def next_batch(self) -> Any:
        return self._batches.pop(0)


def _batches_of(octets: bytes) -> Iterator[Any]:
    """Each complete batch; the last batch of a fetch may be cut and is left out."""
    at = 0
    view = memoryview(octets)
    while len(octets) - at >= _OVERHEAD:
        end = at + _OVERHEAD + int.from_bytes(view[at:][_LENGTH], "big")
        if end > len(octets):
            return
        magic = view[at + _MAGIC]
        batch = view[at:end]
        yield _LenientBatch(batch) if magic >= 2 else LegacyRecordBatch(batch, magic)
        at = end


class _LenientPartitionRecords(fetcher.PartitionRecords):  # type: ignore[misc]
    def _unpack_records(self) -> Iterator[Any]:
        try:
            yield from super()._unpack_records()
        except UnicodeDecodeError:
            kept: Any = self._records
            self._records: Any = _LenientRecords(kept.octets, self.next_fetch_offset)
            yield from super()._unpack_records()


def read_any_header_key() -> None:
    """Have every consumer of this process read so."""
    fetcher.MemoryRecords = _KeptRecords
    fetcher.PartitionRecords = _LenientPartitionRecords
