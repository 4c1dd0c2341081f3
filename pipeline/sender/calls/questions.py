"""Asks the gateway what became of an unknown command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.records import Outcome
from pipeline.sender.calls.results import result_of_query
from pipeline.stages.sending.codes import STATE_OF_STATUS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pipeline.records import MtCommand
    from pipeline.sender.calls.desk import Desk
    from pipeline.sender.post import Post


async def ask_gateway(
    command: MtCommand, attempt: int, desk: Desk, post: Post, now: Callable[[], datetime]
) -> None:
    """Ask by the command's cliMsgId, and write the gateway's answer; nothing if there is none.

    The worker says when to ask again.
    """
    found = await desk.way.ask_about(command.command_id)
    if found is None:
        return
    state = STATE_OF_STATUS.get(found.status)
    if found.is_known is False:
        outcome = Outcome.FAILED
    elif state is not None:
        outcome = Outcome(state.value)
    else:
        return
    result = result_of_query(command, found, outcome, api=desk.api, attempt=attempt, at=now())
    await post.tell(result)
