"""A delivery receipt: the message that it is about, and the outcome (SMPP 3.4 appendix B).

Parameters come before the text, which each SMSC writes in its own way. Clickatell's
network_error_code is a list of its own (its page "Standard optional parameters"), and no message
status. So the state gives the status, and `err` may only make it more exact.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.process.peer_words import peer_words
from pipeline.sms.timestamp import time_from_gateway
from pipeline.wire.clickatell.codes import STATUSES, Standing, statuses_of
from pipeline.wire.smpp import tlv as smpp_tlv
from pipeline.wire.smpp.callback import header_and_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pipeline.wire.smpp.deliver import DeliverSm

LONGEST_TEXT: Final = 2048  # octets that are looked at
LONGEST_ID: Final = 64  # characters: message_id is at most 65 octets with its end (5.2.23)
UCS2_CODING: Final = 8  # data_coding

_STATES: Final = {  # SMPP 3.4 5.2.28, and the words of appendix B
    0: "SCHEDULED",  # SMPP 5.0 4.7.15
    1: "ENROUTE",
    2: "DELIVERED",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIVERABLE",
    6: "ACCEPTED",
    7: "UNKNOWN",
    8: "REJECTED",
    9: "SKIPPED",
}
#: The first letters of a state, as SMSCs cut it: DELIVRD, UNDELIV, ACCEPTD, REJECTD.
_BY_WORD: Final = {state[:5]: state for state in _STATES.values()}
_UNDELIVERED: Final = statuses_of(Standing.UNDELIVERED)
_ON_THE_WAY: Final = statuses_of(Standing.ON_ITS_WAY)
#: A state as the gateway's message status, and the statuses by which `err` may say it closer.
_STATUSES: Final[dict[str, tuple[str, frozenset[str]]]] = {
    "SCHEDULED": ("011", _ON_THE_WAY),
    "ENROUTE": ("003", _ON_THE_WAY),
    "DELIVERED": ("004", frozenset({"004"})),
    "EXPIRED": ("010", _UNDELIVERED),
    "DELETED": ("006", _UNDELIVERED),
    "UNDELIVERABLE": ("007", _UNDELIVERED),
    "ACCEPTED": ("003", _ON_THE_WAY),
    "UNKNOWN": ("001", frozenset({"001"})),
    "REJECTED": ("005", _UNDELIVERED),
    "SKIPPED": ("007", _UNDELIVERED),
}

_KEYS: Final = "id|sub|dlvrd|submit[ _]?date|done[ _]?date|stat|err|text"
_FIELD: Final = re.compile(
    rf"(?<![^\s\0])({_KEYS}) ?: ?(?!(?:{_KEYS}) ?:)([^\s\0]*)", re.IGNORECASE
)
_PRINTABLE: Final = re.compile(r"[\x21-\x7E]+")


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """The content of a receipt; a missing value is empty.

    `status` has 3 digits, of the gateway's message statuses. `state` is SMPP's name for it.
    `network_error` is Clickatell's code of a failure, in decimal, such as 7 for a delisted number.
    """

    message_id: str = ""
    status: str = ""
    state: str = ""
    network_error: str = ""
    at: datetime | None = None
    words: str = ""


def receipt_from_deliver(deliver: DeliverSm) -> Receipt:
    """The content of the parameters, or of the text where they are missing; in linear time."""
    said = _fields_of(_text_of(deliver))
    state = _state_of(deliver) or _BY_WORD.get(said.get("stat", "").upper()[:5], "")
    network_error = _network_error_of(deliver)
    shown = {"stat": said.get("stat") or state, "err": said.get("err") or network_error}
    return Receipt(
        message_id=_id_of(deliver) or _as_id(said.get("id", "")),
        status=_status_of(state, said.get("err", "")),
        state=state,
        network_error=network_error,
        at=_time_of(said.get("donedate", "")),
        words=peer_words(" ".join(f"{key}:{value}" for key, value in shown.items() if value)),
    )


def key_of_message_id(message_id: str) -> str:
    """The id without the leading zeros and the case of hex digits, which SMSCs change."""
    return message_id.lower().lstrip("0") or message_id


def keys_of_message_id(message_id: str) -> Sequence[str]:
    """The keys under which a receipt's message may be known, the likeliest first.

    SMSCs answer submit_sm with an id in hex and name it in decimal in the receipt, or the other
    way round (3GPP has no say; SMPP 3.4 leaves the id opaque). Check the handset as well.
    """
    key = key_of_message_id(message_id)
    keys = [key]
    if len(key) <= 20 and key.isascii():  # 64 bits in decimal; a longer one is no number
        if key.isdigit():
            keys.append(f"{int(key):x}")
        if re.fullmatch("[0-9a-f]+", key):
            keys.append(str(int(key, 16)))
    return tuple(dict.fromkeys(keys))


def _text_of(deliver: DeliverSm) -> str:
    _, octets = header_and_text(deliver)
    octets = octets[:LONGEST_TEXT]
    return octets.decode(
        "utf-16-be" if deliver.data_coding == UCS2_CODING else "latin-1", "replace"
    )


def _fields_of(text: str) -> dict[str, str]:
    """The first value of each key. The text after `text:` is the message's own: it is not read."""
    said: dict[str, str] = {}
    for found in _FIELD.finditer(text):
        key = found[1].lower().replace(" ", "").replace("_", "")
        if key == "text" and said:
            break
        said.setdefault(key, found[2])
    return said


def _id_of(deliver: DeliverSm) -> str:
    value = smpp_tlv.value_of(deliver.tlvs, smpp_tlv.RECEIPTED_MESSAGE_ID) or b""
    return _as_id(value.partition(b"\0")[0].decode("latin-1"))


def _as_id(text: str) -> str:
    return text if len(text) <= LONGEST_ID and _PRINTABLE.fullmatch(text) else ""


def _state_of(deliver: DeliverSm) -> str:
    value = smpp_tlv.value_of(deliver.tlvs, smpp_tlv.MESSAGE_STATE) or b""
    return _STATES.get(value[0], "") if len(value) == 1 else ""


def _network_error_of(deliver: DeliverSm) -> str:
    """The code of three octets: a network's type and a number (5.3.2.31), or three digits."""
    value = smpp_tlv.value_of(deliver.tlvs, smpp_tlv.NETWORK_ERROR_CODE) or b""
    if len(value) != 3:
        return ""
    number = int(value) if value.isdigit() else int.from_bytes(value[1:], "big")
    return str(number) if number else ""


def _status_of(state: str, err: str) -> str:
    """The status in `err`, which may have more leading zeros than a status has, or fewer."""
    said = err.lstrip("0").zfill(3) if err.isascii() and err.isdigit() else ""
    if state not in _STATUSES:
        return said if said in STATUSES else ""
    status, closer = _STATUSES[state]
    return said if said in closer else status


def _time_of(digits: str) -> datetime | None:
    """YYMMDDhhmm, with or without seconds, or with the whole year; on the gateway's clock.

    12 digits are a short year with seconds if that is a time, else a whole year without seconds. 16
    characters are SMPP's own time (7.1.1), whose zone is ignored.
    """
    digits = digits[:12] if len(digits) == 16 else digits
    if not (digits.isascii() and digits.isdigit()):
        return None
    match len(digits):
        case 10:
            return _at(f"20{digits}00")
        case 12:
            return _at(f"20{digits}") or _at(f"{digits}00")
        case 14:
            return _at(digits)
    return None


def _at(digits: str) -> datetime | None:
    date, time = digits[:8], digits[8:]
    return time_from_gateway(f"{date[:4]}-{date[4:6]}-{date[6:]} {time[:2]}:{time[2:4]}:{time[4:]}")
