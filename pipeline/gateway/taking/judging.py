"""Checks and parses the parameters of a submission (HTTP API 2.3.8, 5; guide 8.1, 8.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pipeline.gateway.refusal import Refusal
from pipeline.sms.cutting import cut
from pipeline.sms.gsm7.default import septets_of
from pipeline.sms.segmentation import GSM7, UCS2

if TYPE_CHECKING:
    from collections.abc import Mapping

LATEST_MINUTES: Final = 10_080  # the largest deliv_time: seven days (HTTP API 2.3.8, 5)
_INTERNATIONAL: Final = re.compile("[1-9][0-9]{7,14}")
_CLIENT_ID: Final = re.compile("[0-9A-Za-z]{0,32}")
_SMALL: Final = re.compile("[0-9]{1,5}")


@dataclass(frozen=True, kw_only=True)
class Submission:
    """One message to one handset, parsed from the parameters of sendmsg."""

    handset: str
    sender_id: str
    text: str
    parts: int
    mo: bool
    client_id: str
    callback: int
    of_parts: str = ""  # of a part: its UDH without the part's number, which all parts share
    delay: timedelta = timedelta()  # before the delivery begins


def submission_from(given: Mapping[str, str], handset: str) -> Submission:
    """Parse the parameters of sendmsg, names in lower case; raises `Refusal`."""
    if not _INTERNATIONAL.fullmatch(handset):
        raise Refusal("105")
    client_id = given.get("climsgid", "")
    if not _CLIENT_ID.fullmatch(client_id):
        raise Refusal("101")
    of_parts = given.get("udh", "").lower()[:-2]  # the last octet is the part's number (8.3)
    text, parts = _text_and_parts(given)
    if not text:
        raise Refusal("107")
    if not of_parts and parts > max(1, _number(given, "concat", 1)):
        raise Refusal("113")
    delay = _number(given, "deliv_time", 0)
    if delay > LATEST_MINUTES:
        raise Refusal("120")
    return Submission(
        handset=handset,
        sender_id=given.get("from", ""),
        text=text,
        parts=1 if of_parts else parts,
        mo=_number(given, "mo", 0) == 1,
        client_id=client_id,
        callback=_number(given, "callback", 0),
        of_parts=of_parts,
        delay=timedelta(minutes=delay),
    )


def _text_and_parts(given: Mapping[str, str]) -> tuple[str, int]:
    """The characters of the text, and the number of parts; raises `Refusal`."""
    text = given.get("text", "")
    if _number(given, "unicode", 0) != 1:
        packed = "".join(each if septets_of(each) else "?" for each in text)
        return text, len(cut(packed, GSM7))
    try:
        decoded = bytes.fromhex(text).decode("utf-16-be")
    except ValueError as error:
        raise Refusal("116") from error
    return decoded, len(cut(decoded, UCS2))


def _number(given: Mapping[str, str], name: str, default: int) -> int:
    """The value of a numeric parameter, `default` if it is empty; raises `Refusal`."""
    value = given.get(name, "").strip()
    if not value:
        return default
    if not _SMALL.fullmatch(value):
        raise Refusal("101")
    return int(value)
