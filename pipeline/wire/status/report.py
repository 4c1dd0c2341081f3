"""The gateway's report on an MT, by a status callback or by an SMPP receipt."""

from __future__ import annotations

from datetime import datetime

import msgspec

from pipeline.records import SeenBy


class StatusReport(msgspec.Struct, frozen=True, kw_only=True):
    """One status of one MT; a value that is missing or unreadable is empty.

    `status` has 3 digits (Clickatell HTTP API 2.3.8, appendix B). `charge` is a decimal number of
    credits that is a whole number of units (`pipeline.credits`). `gateway_at` is the gateway's
    time. Handset and number are usually digits, as the addresses of an MO are.
    """

    handset: str = ""
    gateway_message_id: str = ""
    """apiMsgId; of a receipt the message id, as it is written there."""
    command_id: str = ""
    """cliMsgId: our command's id, where it is one of ours."""
    status: str = ""
    charge: str = ""
    gateway_at: datetime | None = None
    number: str = ""
    """`from`: the sender ID."""
    api_id: str = ""
    source: str = SeenBy.CALLBACK.value
    """`callback` or `receipt`."""
    words: str = ""
    """What was odd about reading it; of a receipt, its own words."""
    flags: tuple[str, ...] = ()
    """`repaired`, `timestamp-unreadable`: `Flag`, as of an MO."""
