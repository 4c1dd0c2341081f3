"""Which of the gateway's codes the worker itself decides by."""

from __future__ import annotations

from typing import Final

from pipeline.records import CommandState

#: The gateway blocks this handset: blocked, opted out, delisted (HTTP API 2.3.8, appendix A).
GATEWAY_BLOCKS: Final = frozenset({"121", "122", "128"})
#: The gateway knows no such message: unknown apiMsgId, unknown cliMsgId.
NOT_KNOWN: Final = frozenset({"103", "104"})

#: What a message status says of a command (HTTP API 2.3.8, appendix B; 014 from 2014 on). 001 says
#: that the message is not known and nothing of the command.
_TAKEN: Final = ("002", "003", "008", "011")
_UNDELIVERED: Final = ("005", "006", "007", "009", "010", "012", "014")
STATE_OF_STATUS: Final[dict[str, CommandState]] = {
    **dict.fromkeys(_TAKEN, CommandState.SUBMITTED),
    "004": CommandState.DELIVERED,
    **dict.fromkeys(_UNDELIVERED, CommandState.UNDELIVERED),
}

#: Evidence never goes back: a state gives way to one of a higher rank alone.
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

#: The gateway's own words (HTTP API 2.3.8, appendix B).
STATUS_WORDS: Final[dict[str, str]] = {
    "001": "Message unknown",
    "002": "Message queued",
    "003": "Delivered to gateway",
    "004": "Received by recipient",
    "005": "Error with message",
    "006": "User cancelled message delivery",
    "007": "Error delivering message",
    "008": "OK",
    "009": "Routing error",
    "010": "Message expired",
    "011": "Message queued for later delivery",
    "012": "Out of credit",
    "014": "Maximum MT limit exceeded",
}
