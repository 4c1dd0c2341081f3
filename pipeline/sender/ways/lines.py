"""What a mail and an uploaded file share: the lines of a command, by the fields of an API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.records import Outcome
from pipeline.sender.way import Answer
from pipeline.wire.clickatell.lines import lines_from_command
from pipeline.wire.clickatell.message import NotSendable

if TYPE_CHECKING:
    from pipeline.records import MtCommand
    from pipeline.sender.apis.api import Api
    from pipeline.wire.clickatell.lines import Login


def lines_or_refusal(
    command: MtCommand, api: Api, login: Login, *, longest: int
) -> list[str] | Answer:
    """The lines, of at most `longest` octets each; or why the command can never be sent."""
    try:
        return lines_from_command(
            command,
            login,
            longest=longest,
            callback=api.callback,
            max_parts=api.max_parts,
            required_features=api.req_feat,
        )
    except NotSendable as error:
        code, _, words = str(error).partition(": ")
        return Answer(outcome=Outcome.FAILED, code=code, words=words)
