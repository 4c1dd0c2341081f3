"""The state and the handset of each command: an index over the topics of commands, in memory.

`mt-state` holds the state of a command, and its last record counts. Where there is none, as for
commands that another program sends, results count: the strongest, and the latest of equals.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.avro.single_object import decode
from pipeline.records import MtCommand, MtResult, MtState, Outcome

if TYPE_CHECKING:
    from pipeline.records import Record

COMMANDS: Final = 100_000
OCTETS: Final = 48 * 1024 * 1024
#: What a result is worth beside another: a later `submitted` never hides `delivered`.
_WEIGHT: Final[dict[str, int]] = {
    Outcome.DELIVERED: 4,
    Outcome.UNDELIVERED: 4,
    Outcome.SUBMITTED: 3,
    Outcome.FAILED: 2,
    Outcome.UNKNOWN: 1,
}
_BEFORE_ALL: Final = -1


@dataclass(slots=True)
class Fate:
    """What is known of one command; records are kept as octets."""

    handset: str = ""
    state: bytes = b""
    state_offset: int = _BEFORE_ALL
    result: bytes = b""
    result_weight: tuple[int, float] = (0, 0.0)
    gateway_ids: tuple[str, ...] = ()

    @property
    def octets(self) -> int:
        """How many octets are kept."""
        return len(self.state) + len(self.result) + sum(map(len, self.gateway_ids))

    def strongest(self) -> tuple[MtState | None, MtResult | None]:
        """The records that count."""
        state = decode(self.state) if self.state else None
        result = decode(self.result) if self.result else None
        return (
            state if isinstance(state, MtState) else None,
            result if isinstance(result, MtResult) else None,
        )


class Fates:
    """The newest commands."""

    def __init__(self, *, commands: int = COMMANDS, octets: int = OCTETS) -> None:
        self._fates: OrderedDict[str, Fate] = OrderedDict()
        self._by_gateway_id: dict[str, str] = {}
        self._most_commands = commands
        self._most_octets = octets
        self._octets = 0

    def __len__(self) -> int:
        return len(self._fates)

    def enter(self, record: Record, octets: bytes, *, offset: int) -> None:
        """Note a record of mt-command, mt-state or mt-result; `offset` is its place.

        All records of a command are in one partition. Records that come again, when the topics are
        read again, change nothing.
        """
        if not isinstance(record, MtCommand | MtState | MtResult) or not record.command_id:
            return
        fate = self._fates.setdefault(record.command_id, Fate())
        self._octets -= fate.octets
        fate.handset = record.handset or fate.handset
        if isinstance(record, MtState):
            if offset >= fate.state_offset:
                fate.state, fate.state_offset = octets, offset
                self._know(record.command_id, fate, record.gateway_message_ids)
        elif isinstance(record, MtResult):
            weight = (_WEIGHT.get(record.outcome, 0), record.at.timestamp())
            if weight >= fate.result_weight:
                fate.result, fate.result_weight = octets, weight
            ids = [record.gateway_message_id, *record.gateway_message_ids]
            self._know(record.command_id, fate, ids)
        self._octets += fate.octets
        self._fates.move_to_end(record.command_id)
        while len(self._fates) > self._most_commands or self._octets > self._most_octets:
            self._forget_oldest()

    def fate_of(self, command_id: str) -> Fate | None:
        """What is known of a command; None if nothing is."""
        return self._fates.get(command_id)

    def handset_of(self, *, command_id: str, gateway_message_id: str) -> str:
        """The handset of a command, by our id or by the gateway's; empty if it is not known."""
        fate = self._fates.get(command_id) or self._fates.get(
            self._by_gateway_id.get(gateway_message_id, "")
        )
        return fate.handset if fate else ""

    def _know(self, command_id: str, fate: Fate, ids: list[str]) -> None:
        new = tuple(dict.fromkeys(i for i in ids if i and i not in fate.gateway_ids))
        fate.gateway_ids += new
        for gateway_id in new:
            self._by_gateway_id[gateway_id] = command_id

    def _forget_oldest(self) -> None:
        command_id, fate = self._fates.popitem(last=False)
        self._octets -= fate.octets
        for gateway_id in fate.gateway_ids:
            if self._by_gateway_id.get(gateway_id) == command_id:
                del self._by_gateway_id[gateway_id]
