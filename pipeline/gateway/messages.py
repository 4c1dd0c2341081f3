"""The MTs that the stand-in took, by their ids, with the status of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from pipeline.gateway.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(kw_only=True)
class Message:
    """An MT that was taken. `client_id` is the cliMsgId; `status` has 3 digits."""

    message_id: str
    client_id: str
    api_id: str
    way: str
    handset: str
    given_sender: str
    sender_id: str  # as the handset shows it
    text: str
    parts: int
    charge: float
    at: datetime
    callback: int = 0
    delay: timedelta = timedelta()  # before the delivery begins
    status: str = "008"
    fault: str = ""
    history: list[tuple[datetime, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Result:
    """The outcome for one handset: the message that was taken, or the refusal."""

    handset: str
    message: Message | None = None
    refusal: Refusal | None = None


class Messages:
    """All messages that were taken; a cliMsgId given twice finds the later message."""

    def __init__(self) -> None:
        self.by_id: dict[str, Message] = {}
        self._by_client_id: dict[str, Message] = {}

    def add(self, message: Message) -> None:
        """Keep a message."""
        self.by_id[message.message_id] = message
        if message.client_id:
            self._by_client_id[message.client_id] = message

    def find(self, given: Mapping[str, str]) -> Message:
        """The message that `apimsgid` or `climsgid` names; raises `Refusal`."""
        message_id, client_id = given.get("apimsgid", ""), given.get("climsgid", "")
        if not message_id and not client_id:
            raise Refusal("109")
        if message_id:
            found = self.by_id.get(message_id)
            if found is None:
                raise Refusal("103")
            return found
        found = self._by_client_id.get(client_id)
        if found is None:
            raise Refusal("104")
        return found
