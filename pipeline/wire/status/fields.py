"""The variables of a status callback, which all three forms have (HTTP API 2.3.8, 4.3)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pipeline.credits import units_from_text
from pipeline.records import Flag
from pipeline.sms.msisdn import address_from_text
from pipeline.wire.status.report import StatusReport

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The documents' name of each variable, and ours. One test of a client calls apiMsgId `moMsgId`
#: (py-smsframework-clickatell, test_receive_status).
VARIABLES: Final = {
    "api_id": "api_id",
    "apiMsgId": "gateway_message_id",
    "cliMsgId": "command_id",
    "timestamp": "timestamp",
    "to": "handset",
    "from": "number",
    "status": "status",
    "charge": "charge",
    "moMsgId": "mo_msg_id",
}
STATUS_CONTAINERS: Final = frozenset({"callback", "mt_callback"})
LONGEST_ID: Final = 64  # characters; the gateway's are 32
_ID: Final = re.compile(rf"[\x21-\x7e]{{1,{LONGEST_ID}}}")
_STATUS: Final = re.compile(r"0*([0-9]{1,3})")
_SECONDS: Final = re.compile(r"[1-9][0-9]{0,10}")  # until the year 5138
_SHOWN: Final = 40  # characters of a value that cannot be read


def report_from_texts(given: Mapping[str, str], *, is_repaired: bool = False) -> StatusReport:
    """The report in the variables, by our names for them. Nothing is refused."""
    texts = {name: text.strip() for name, text in given.items()}
    odd: list[str] = []
    flags: list[str] = [Flag.REPAIRED] if is_repaired else []
    gateway_at = _time_from_seconds(texts.get("timestamp", ""))
    if gateway_at is None and texts.get("timestamp"):
        flags.append(Flag.TIMESTAMP_UNREADABLE)
    return StatusReport(
        handset=address_from_text(texts.get("handset", "")),
        gateway_message_id=_id(texts, "gateway_message_id", odd) or _id(texts, "mo_msg_id", odd),
        command_id=_id(texts, "command_id", odd),
        status=_status(texts.get("status", ""), odd),
        charge=_charge(texts.get("charge", ""), odd),
        gateway_at=gateway_at,
        number=address_from_text(texts.get("number", "")),
        api_id=texts.get("api_id", ""),
        words="; ".join(odd),
        flags=tuple(flags),
    )


def _id(texts: Mapping[str, str], name: str, odd: list[str]) -> str:
    text = texts.get(name, "")
    if not text or _ID.fullmatch(text):
        return text
    odd.append("an id that is none")
    return ""


def _status(text: str, odd: list[str]) -> str:
    """Three digits; SOAP sends an integer, which may have lost its leading zeros."""
    found = _STATUS.fullmatch(text)
    if found is None:
        odd.append(f"the status {text[:_SHOWN]!r} is none" if text else "no status")
        return ""
    return found[1].zfill(3)


def _charge(text: str, odd: list[str]) -> str:
    if not text or units_from_text(text) is not None:
        return text
    odd.append(f"the charge {text[:_SHOWN]!r} is no exact amount")
    return ""


def _time_from_seconds(text: str) -> datetime | None:
    """The time from whole seconds since 1970; None if it is no such time."""
    return datetime.fromtimestamp(int(text), UTC) if _SECONDS.fullmatch(text) else None
