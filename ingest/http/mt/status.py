"""What became of each request, for `GET /mt/{request_id}`: an index over the MT topics."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import msgspec

from ingest.http.mt.fates import Fates
from pipeline.avro.single_object import decode
from pipeline.identity import request_digest
from pipeline.records import (
    GateRule,
    MtCommand,
    MtRejection,
    MtRequest,
    MtResult,
    MtState,
    Outcome,
    Record,
)

IDS: Final = 100_000
OCTETS: Final = 48 * 1024 * 1024
_OUTCOMES: Final = frozenset(Outcome)
#: Nothing more is expected; `submitted` may yet be delivered, and `unknown` become anything.
_FINAL: Final = frozenset({Outcome.FAILED, Outcome.DELIVERED, Outcome.UNDELIVERED})
_KINDS: Final = {MtRequest: "pending", MtCommand: "command", MtRejection: "rejection"}
#: Of `MtState` what says nothing to an application, or stands beside it already.
_NOT_SHOWN: Final = ("state_id", "command_id", "request_id", "handset", "holder", "ask_gateway")


class Rank(IntEnum):
    """The order of states: a later state hides an earlier one, in any order of reading."""

    NAMED = 0  # known by what became of it alone
    PENDING = 1
    REUSED = 2  # another request under the same id was refused: says nothing of the first
    COMMAND = 3
    REJECTION = 4


def rank_of(record: Record) -> Rank:
    """The state of a request that `record` shows."""
    match record:
        case MtCommand():
            return Rank.COMMAND
        case MtRejection():
            return Rank.REUSED if record.rule == GateRule.ID_REUSED else Rank.REJECTION
        case MtRequest():
            return Rank.PENDING
    return Rank.NAMED


@dataclass(slots=True)
class _Entry:
    rank: Rank
    octets: bytes = b""
    digest: bytes | None = None
    command_id: str = ""


class StatusIndex:
    """An index of the newest ids. Records are kept as octets, which take a fifth of the memory."""

    def __init__(self, *, ids: int = IDS, octets: int = OCTETS, fates: Fates | None = None) -> None:
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self.fates = fates or Fates()
        self._most_ids = ids
        self._most_octets = octets
        self._octets = 0

    def __len__(self) -> int:
        return len(self._entries)

    def enter(self, record: Record, octets: bytes, *, offset: int = 0) -> None:
        """Note a record of the MT topics; `octets` are its encoding, `offset` its place.

        A record without a request id, such as a confirmation or a custom reply, is ignored.
        """
        self.fates.enter(record, octets, offset=offset)
        request_id = str(getattr(record, "request_id", ""))
        if not request_id:
            return
        entry = self._entries.setdefault(request_id, _Entry(Rank.NAMED))
        rank = rank_of(record)
        if rank > Rank.NAMED and rank >= entry.rank and not _is_repeated(record, entry):
            self._octets += len(octets) - len(entry.octets)
            entry.rank, entry.octets = rank, octets
        if isinstance(record, MtCommand | MtState):
            entry.command_id = record.command_id
        elif isinstance(record, MtResult):  # whoever sends may write one
            entry.command_id = entry.command_id or record.command_id
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
        """The state and its record, as JSON has them; None when the id is not known.

        `mt_state` is the state of the command, once the worker has published one.
        """
        entry = self._entries.get(request_id)
        if entry is None:
            return None
        fate = self.fates.fate_of(entry.command_id)
        state, seen = fate.strongest() if fate else (None, None)
        record = _result_of(state, seen) or (decode(entry.octets) if entry.octets else None)
        status: dict[str, Any] = {"state": "pending"}  # till its command is read, too
        if record is not None:
            status["state"] = _KINDS.get(type(record), "result")
            status |= msgspec.to_builtins(record)
        status["request_id"] = request_id
        if state is not None:
            shown = msgspec.to_builtins(state)
            status["mt_state"] = {k: v for k, v in shown.items() if k not in _NOT_SHOWN}
        return status


def _is_repeated(record: Record, entry: _Entry) -> bool:
    """Whether the record repeats a request with the same id: the first request counts."""
    return isinstance(record, MtRequest) and entry.rank is Rank.PENDING


def _result_of(state: MtState | None, seen: MtResult | None) -> MtResult | None:
    """The last result of the command; None if it is not sent, or waits to be sent again."""
    if state is None:
        return seen
    if state.state not in _OUTCOMES:
        return None
    ids = state.gateway_message_ids
    return MtResult(
        result_id=state.state_id,
        command_id=state.command_id,
        request_id=state.request_id,
        handset=state.handset,
        outcome=state.state,
        final=state.state in _FINAL,
        gateway_message_id=next(filter(None, ids), ""),
        code=state.code,
        words=state.words,
        attempt=state.attempt,
        at=state.at,
        way=seen.way if seen else "",
        api_id=seen.api_id if seen else "",
        gateway_message_ids=ids,
        charge=state.charge,
        source=state.source,
    )
