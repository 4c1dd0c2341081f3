"""What every way in yields: the variables of a callback as given, not yet judged (G8.3.1)."""

from __future__ import annotations

import msgspec

from pipeline.records import Reason, Rejected


class MoCallback(msgspec.Struct, frozen=True, kw_only=True):
    """One part as the gateway gave it; what is absent is empty. `octets` are the text's."""

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
    """What was odd about reading it, a `Flag`; empty when nothing was."""


def callback_or_rejected(callback: MoCallback) -> MoCallback | Rejected:
    """The callback, unless handset or number is absent or blank; no more is asked."""
    if not callback.handset.strip():
        return Rejected(Reason.MISSING_FROM, "from is absent or empty")
    if not callback.number.strip():
        return Rejected(Reason.MISSING_TO, "to is absent or empty")
    return callback
