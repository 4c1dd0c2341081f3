"""The common result of all parsers: the variables of a callback as given, unchecked (G8.3.1)."""

from __future__ import annotations

import msgspec

from pipeline.records import Reason, Rejected


class MoCallback(msgspec.Struct, frozen=True, kw_only=True):
    """One part as the gateway gave it. An absent variable is empty; `octets` hold the text."""

    handset: str
    number: str
    api_id: str = ""
    mo_msg_id: str = ""
    timestamp: str = ""
    charset: str = ""
    udh: str = ""
    octets: bytes = b""
    network_id: str = ""
    flag: str = ""
    """The `Flag` for an unusual reading; empty for a normal one."""


def callback_or_rejected(callback: MoCallback) -> MoCallback | Rejected:
    """The callback, or a rejection when handset or number is absent or blank.

    Nothing else is checked here.
    """
    if not callback.handset.strip():
        return Rejected(Reason.MISSING_FROM, "from is absent or empty")
    if not callback.number.strip():
        return Rejected(Reason.MISSING_TO, "to is absent or empty")
    return callback
