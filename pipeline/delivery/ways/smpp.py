"""SMPP to an application that is bound to us (G8.3.3): deliver_sm, which a status of 0 confirms.

A deliver_sm has no id, so the application cannot recognise one that comes twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.delivery.forms import NotHandedOn, callback_of
from pipeline.delivery.way import Seen
from pipeline.wire.smpp import deliver as smpp_deliver
from pipeline.wire.smpp.callback import deliver_from_callback
from pipeline.wire.smpp.pdu import Status

if TYPE_CHECKING:
    from pipeline.delivery.orders import DeliveryOrder
    from pipeline.delivery.smpp.door import SmppDoor
    from pipeline.records import Record, ReplyPath


class SmppReplyWay:
    """One path by SMPP, over the server `door` at which its application binds."""

    def __init__(self, path: ReplyPath, door: SmppDoor) -> None:
        self._path = path
        self._door = door

    async def deliver(self, order: DeliveryOrder, record: Record) -> Seen:
        """Send a deliver_sm; if nobody is bound, the result says that no attempt was made."""
        session = self._door.session_of(self._path.name)
        if session is None:
            return Seen(is_delivered=False, is_nobody_there=True, words="nobody is bound")
        try:
            deliver = deliver_from_callback(callback_of(record))
        except NotHandedOn as error:
            return Seen(is_delivered=False, words=str(error))
        if deliver is None:
            return Seen(is_delivered=False, words="no data_coding names its charset")
        body = smpp_deliver.render(deliver)
        try:
            status = await session.deliver(body, seconds=self._path.timeout_seconds)
        except TimeoutError:
            words = f"no answer within {self._path.timeout_seconds} s"
            return Seen(is_delivered=False, words=words, sent=body)
        if status is None:
            return Seen(is_delivered=False, words="the connection ended", sent=body)
        return Seen(
            is_delivered=status == Status.OK,
            status=f"0x{status:08X}",
            words="" if status == Status.OK else "the application refused it",
            sent=body,
        )

    async def close(self) -> None:
        """Do nothing: the process closes the server."""
