"""Commands in the form in which the ways out get them."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from pipeline.records import MtCommand
from pipeline.sender.way import Submission

_EXAMPLE = Path(__file__).parents[2] / "schemas" / "examples" / "mt_command" / "1" / "reply.json"
COMMAND: MtCommand = msgspec.convert(
    json.loads(_EXAMPLE.read_text()),
    MtCommand,
    dec_hook=lambda kind, text: datetime.fromisoformat(text) if kind is datetime else text,
)


def command_of(**changes: Any) -> MtCommand:
    """The example of a command, with changes."""
    return msgspec.structs.replace(COMMAND, **changes)


def submission_of(**changes: Any) -> Submission:
    """The first attempt of the command."""
    return Submission(command=command_of(**changes), attempt=1)
