"""The status of each MT request, for `GET /mt/{request_id}`: an index of four topics in memory."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import msgspec

from pipeline.avro.single_object import decode
from pipeline.identity import request_digest
from pipeline.records import GateRule, MtCommand, MtRejection, MtRequest, MtResult, Record

IDS: Final = 100_000
OCTETS: Final = 48 * 1024 * 1024
_STATES: Final = {
    MtRequest: "pending",
    MtCommand: "command",
    MtRejection: "rejection",
    MtResult: "result",
}


class Rank(IntEnum):
    """The order of states: a later state hides an earlier one, in any order of reading."""

    PENDING = 0
    REUSED = 1  # another request with this id was refused, which says nothing about the first one
    COMMAND = 2
    REJECTION = 3
    RESULT = 4


def rank_of(record: Record) -> Rank:
    """The state of a request that `record` shows."""
    match record:
        case MtResult():
            return Rank.RESULT
        case MtCommand():
            return Rank.COMMAND
        case MtRejection():
            return Rank.REUSED if record.rule == GateRule.ID_REUSED else Rank.REJECTION
        case _:
            return Rank.PENDING


@dataclass(slots=True)
class _Entry:
    rank: Rank
    octets: bytes
    digest: bytes | None


class StatusIndex:
    """An index of the newest ids. Records are kept as octets, which take a fifth of the memory."""

    def __init__(self, *, ids: int = IDS, octets: int = OCTETS) -> None:
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._most_ids = ids
        self._most_octets = octets
        self._octets = 0

    def __len__(self) -> int:
        return len(self._entries)

    def enter(self, record: Record, octets: bytes) -> None:
        """Add a record of one of the four topics; `octets` are its encoding.

        A record without a request id, such as a confirmation or a custom reply, is ignored.
        """
        request_id = str(getattr(record, "request_id", ""))
        if not request_id:
            return
        entry = self._entries.get(request_id)
        if entry is None:
            entry = self._entries[request_id] = _Entry(rank_of(record), octets, None)
            self._octets += len(octets)
        elif rank_of(record) >= entry.rank and not _is_repeated(record, entry):
            self._octets += len(octets) - len(entry.octets)
            entry.rank, entry.octets = rank_of(record), octets
        if isinstance(record, MtRequest) and entry.digest is None:
            entry.digest = request_digest(record)
        self._entries.move_to_end(request_id)
        while len(self._entries) > self._most_ids or self._octets > self._most_octets:
            _, oldest = self._entries.popitem(last=False)
            self._octets -= len(oldest.octets)

    def digest_of(self, request_id: str) -> bytes | None:
        """The digest of the first request with this id; None if it is not known."""
        entry = self._entries.get(request_id)
        return entry.digest if entry else None

    def status_of(self, request_id: str) -> dict[str, Any] | None:
        """State and record, ready for JSON; None if the id is not known."""
        entry = self._entries.get(request_id)
        if entry is None:
            return None
        record = decode(entry.octets)
        return {"state": _STATES[type(record)], **msgspec.to_builtins(record)}


def _is_repeated(record: Record, entry: _Entry) -> bool:
    """Whether the record repeats a request with the same id: the first request counts."""
    return isinstance(record, MtRequest) and entry.rank is Rank.PENDING
