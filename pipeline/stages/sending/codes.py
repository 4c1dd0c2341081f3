"""The gateway's codes by which the worker itself decides."""

from __future__ import annotations

from typing import Final

from pipeline.records import CommandState
from pipeline.wire.clickatell.codes import STATUSES, Standing

#: The gateway blocks this handset: blocked, opted out, delisted (HTTP API 2.3.8, appendix A).
GATEWAY_BLOCKS: Final = frozenset({"121", "122", "128"})
_STATES: Final = {
    Standing.ON_ITS_WAY: CommandState.SUBMITTED,
    Standing.DELIVERED: CommandState.DELIVERED,
    Standing.UNDELIVERED: CommandState.UNDELIVERED,
}
#: What a message status says about a command; 001 says nothing.
STATE_OF_STATUS: Final[dict[str, CommandState]] = {
    code: _STATES[status.standing]
    for code, status in STATUSES.items()
    if status.standing in _STATES
}

#: Evidence never goes back: only a state of a higher rank replaces a state.
RANK: Final[dict[str, int]] = {
    state.value: rank
    for rank, state in enumerate(
        (
            CommandState.WAITING,
            CommandState.PERMITTED,
            CommandState.UNKNOWN,
            CommandState.FAILED,
            CommandState.SUBMITTED,
            CommandState.UNDELIVERED,
            CommandState.DELIVERED,
        )
    )
}
RANK[CommandState.REFUSED.value] = RANK[CommandState.FAILED.value]
