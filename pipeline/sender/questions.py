"""The gateway is asked what became of a command whose fate is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.records import Outcome
from pipeline.sender.results import result_of_query
from pipeline.wire.clickatell.codes import Standing, status_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pipeline.records import MtCommand
    from pipeline.sender.desk import Desk
    from pipeline.sender.post import Post

_OUTCOMES: Final = {
    Standing.ON_ITS_WAY: Outcome.SUBMITTED,
    Standing.DELIVERED: Outcome.DELIVERED,
    Standing.UNDELIVERED: Outcome.UNDELIVERED,
}


async def ask_gateway(
    command: MtCommand, attempt: int, desk: Desk, post: Post, now: Callable[[], datetime]
) -> None:
    """Ask by the command's cliMsgId, and write what the gateway said; nothing when it said nothing.

    The worker says when to ask again.
    """
    found = await desk.way.ask_about(command.command_id)
    if found is None:
        return
    if found.is_known is False:
        outcome: Outcome | None = Outcome.FAILED
    else:
        outcome = _OUTCOMES.get(status_of(found.status).standing)
    if outcome is None:
        return
    result = result_of_query(command, found, outcome, api=desk.api, attempt=attempt, at=now())
    await post.tell(result)
