"""Headers whose keys are not UTF-8 are read too: a producer may write any, and no broker looks.

Written against aiokafka 0.14.0, which is pinned: it raises UnicodeDecodeError for the whole fetch,
again and again. The rest of a fetch with such a key is read by its slower Python form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.legacy_records import LegacyRecordBatch
from aiokafka.record.memory_records import MemoryRecords

if TYPE_CHECKING:
    from collections.abc import Iterator

_LENGTH: Final = slice(8, 12)  # of a batch behind its base offset, then what that length counts
_MAGIC: Final = 16
_OVERHEAD: Final = 12


class _KeptRecords(MemoryRecords):  # type: ignore[misc]
    """aiokafka's, with the octets at hand."""

    def __init__(self, octets: bytes) -> None:
        super().__init__(octets)
        self.octets = octets


class _Octets(bytearray):
    """Octets of which every part decodes: what is not UTF-8 becomes `\\xff` in words."""

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
    """The batches of a fetch from the one on that holds `offset`."""

    def __init__(self, octets: bytes, offset: int) -> None:
        self._batches = [batch for batch in _batches_of(octets) if batch.next_offset > offset]

    def has_next(self) -> bool:
        return bool(self._batches)

    def next_batch(self) -> Any:
        return self._batches.pop(0)


def _batches_of(octets: bytes) -> Iterator[Any]:
    """Each whole batch; the last of a fetch may be cut."""
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
